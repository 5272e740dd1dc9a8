using ChordChat.Core.Ring;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>How many calls of one member wait for the ring's loop at once, and how many it may make in a second, so
/// that those of others come soon and the loop gets on with its own questions. Safe for threads.</summary>
/// <remarks>docs/protocol.md#ring-gossip. Each question for the ring's state begins a running stabilization anew.
/// </remarks>
internal sealed class CallersInLine(TimeProvider time)
{
    /// <summary>An honest one has a handful: a probe, a sign of life, a question for the ring state.</summary>
    public const int OfMemberMax = 16;

    /// <summary>Calls that a member may make at once after a rest; as many as in four seconds.</summary>
    public const int AtOnceMax = 200;

    /// <summary>Members whose calls are counted.</summary>
    private const int CallersMax = 4_096;

    private static readonly TimeSpan Each = TimeSpan.FromMilliseconds(20);

    private readonly Lock _turn = new();
    private readonly Dictionary<NodeId, Caller> _callers = [];
    private readonly long _started = time.GetTimestamp();

    /// <summary>A place in the line until it is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: this member has all of its places, or calls too often.
    /// </exception>
    public IDisposable Enter(NodeId caller)
    {
        lock (_turn)
        {
            var now = time.GetElapsedTime(_started);
            if (_callers.Count >= CallersMax && !_callers.ContainsKey(caller))
                Forget(now);
            var known = _callers.GetValueOrDefault(caller);
            if (known.Waiting >= OfMemberMax)
                throw Refusal($"{OfMemberMax} calls of this node wait already");
            var rested = known.RestedAt > now ? known.RestedAt : now;
            if (rested - now > Each * (AtOnceMax - 1))
                throw Refusal("this node calls too often");
            _callers[caller] = new(known.Waiting + 1, rested + Each);
        }

        return new Place(this, caller);
    }

    private static RpcException Refusal(string why) => new(new Status(StatusCode.ResourceExhausted, why));

    private void Leave(NodeId caller)
    {
        lock (_turn)
            if (_callers.TryGetValue(caller, out var known))
                _callers[caller] = known with { Waiting = known.Waiting - 1 };
    }

    private void Forget(TimeSpan now)
    {
        foreach (var (caller, known) in _callers)
            if (known.Waiting == 0 && known.RestedAt <= now)
                _callers.Remove(caller);
    }

    /// <param name="RestedAt">When it may make all its calls at once again, of the time since this began.</param>
    private readonly record struct Caller(int Waiting, TimeSpan RestedAt);

    private sealed class Place(CallersInLine line, NodeId caller) : IDisposable
    {
        private bool _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, true))
                return;
            line.Leave(caller);
        }
    }
}
