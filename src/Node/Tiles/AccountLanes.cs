using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Links;

namespace ChordChat.Node.Tiles;

/// <summary>Requests whose answers may be whole accounts: only so many go to each node at once, this one included. The
/// others wait here, where they hold up neither mail nor leases on the way to that node, nor anybody at its disk. Safe
/// for threads.</summary>
/// <remarks>docs/security.md, "What a call may cost". Eight fill less than a link's window: see
/// <see cref="AnswerWindow"/>.</remarks>
internal sealed class AccountLanes(TimeProvider time)
{
    public const int AtOnceMax = 8;
    public const int WaitingMax = 4_096;

    /// <summary>Whatever lasts longer keeps no turn: the node may be cut off, paused or slow, and all others would wait
    /// for it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Whoever has waited for so long has asked anew or given up. Sent all the same, such requests would take
    /// the turns of others, and a node that was slow for a while would be asked nothing else any more.</summary>
    public static readonly TimeSpan WaitMax = CoordinatorOptions.Default.RoundTimeout;

    private readonly ConcurrentDictionary<NodeId, Lane> _lanes = new();

    /// <summary>Whether the answer to this may be an account.</summary>
    public static bool IsFor(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Peek peek => AnswerWindow.IsAccount(peek.Key),
        ReplicaRequest.Prepare prepare => AnswerWindow.IsAccount(prepare.Key),
        _ => false,
    };

    /// <summary>Begins a request to a node in its turn, perhaps before this returns.</summary>
    /// <param name="begin">Begins it; gets an action to call, on any thread, when it has ended.</param>
    /// <param name="drop">Called in its place when it has waited too long.</param>
    /// <returns>False when too many wait: it will not begin.</returns>
    public bool TryEnter(NodeId to, Action<Action> begin, Action drop) =>
        _lanes.GetOrAdd(to, static (_, time) => new(time), time).TryEnter(begin, drop);

    private sealed class Lane(TimeProvider time)
    {
        private readonly Lock _turn = new();
        private readonly Queue<Waiting> _waiting = new();
        private readonly Dictionary<long, long> _running = [];
        private long _last;
        private bool _isBeginning;

        public bool TryEnter(Action<Action> begin, Action drop)
        {
            lock (_turn)
            {
                if (_waiting.Count >= WaitingMax)
                    return false;
                _waiting.Enqueue(new(begin, drop, time.GetTimestamp()));
            }

            BeginSome();
            return true;
        }

        private void End(long number)
        {
            lock (_turn)
                _running.Remove(number);
            BeginSome();
        }

        /// <summary>A request that ends before its beginning has returned calls this again. Then the loop that began it
        /// goes on, so that many of them do not pile up on the stack.</summary>
        private void BeginSome()
        {
            lock (_turn)
            {
                if (_isBeginning)
                    return;
                _isBeginning = true;
            }

            while (Next() is { } next)
                next();
        }

        private Action? Next()
        {
            lock (_turn)
            {
                if (_running.Count >= AtOnceMax)
                    foreach (var (number, at) in _running)
                        if (time.GetElapsedTime(at) > Patience)
                            _running.Remove(number);
                if (_running.Count >= AtOnceMax || !_waiting.TryDequeue(out var next))
                {
                    _isBeginning = false;
                    return null;
                }

                if (time.GetElapsedTime(next.Since) > WaitMax)
                    return next.Drop;
                var own = ++_last;
                _running[own] = time.GetTimestamp();
                return () => next.Begin(() => End(own));
            }
        }

        private readonly record struct Waiting(Action<Action> Begin, Action Drop, long Since);
    }
}
