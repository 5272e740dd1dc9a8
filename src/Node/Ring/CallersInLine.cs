using ChordChat.Core.Ring;
using Grpc.Core;

namespace ChordChat.Node.Ring;

/// <summary>How many calls of one member wait for the ring's loop at once, so that those of others come soon. Safe for
/// threads.</summary>
/// <remarks>docs/protocol.md#ring-gossip.</remarks>
internal sealed class CallersInLine
{
    /// <summary>An honest one has a handful: a probe, a sign of life, a question for the ring state.</summary>
    public const int OfMemberMax = 16;

    private readonly Lock _turn = new();
    private readonly Dictionary<NodeId, int> _waiting = [];

    /// <summary>A place in the line until it is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: this member has all of its places.</exception>
    public IDisposable Enter(NodeId caller)
    {
        lock (_turn)
        {
            var waiting = _waiting.GetValueOrDefault(caller);
            if (waiting >= OfMemberMax)
                throw RingFaults.TooMany($"{OfMemberMax} calls of this node wait already");
            _waiting[caller] = waiting + 1;
        }

        return new Place(this, caller);
    }

    private void Leave(NodeId caller)
    {
        lock (_turn)
            if (--_waiting[caller] == 0)
                _waiting.Remove(caller);
    }

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
