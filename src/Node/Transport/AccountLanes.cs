using System.Collections.Concurrent;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Transport;

/// <summary>Requests whose answers may be whole accounts: only so many go to each node at once, this one included. The
/// others wait here, where they hold up neither mail nor leases on the way to that node, nor anybody at its disk. Safe
/// for threads.</summary>
/// <remarks>docs/security.md, "What a call may cost". Eight fill less than a link's window: see
/// <see cref="AnswerWindow"/>.</remarks>
internal sealed class AccountLanes(TimeProvider time)
{
    public const int AtOnceMax = 8;
    public const int WaitingMax = 4_096;

    /// <summary>A link ends its calls sooner; whatever lasts longer will never be answered.</summary>
    public static readonly TimeSpan Patience = PeerLink.AnswerPatience * 1.5;

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
    /// <returns>False when too many wait: it will not begin.</returns>
    public bool TryEnter(NodeId to, Action<Action> begin) =>
        _lanes.GetOrAdd(to, static (_, time) => new(time), time).TryEnter(begin);

    private sealed class Lane(TimeProvider time)
    {
        private readonly Lock _turn = new();
        private readonly Queue<Action<Action>> _waiting = new();
        private readonly Dictionary<long, long> _running = [];
        private long _last;
        private bool _isBeginning;

        public bool TryEnter(Action<Action> begin)
        {
            lock (_turn)
            {
                if (_waiting.Count >= WaitingMax)
                    return false;
                _waiting.Enqueue(begin);
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

            while (Next() is var (number, begin) && begin is not null)
                begin(() => End(number));
        }

        private (long Number, Action<Action>? Begin) Next()
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
                    return default;
                }

                _running[++_last] = time.GetTimestamp();
                return (_last, next);
            }
        }
    }
}
