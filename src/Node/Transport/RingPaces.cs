using ChordChat.Core.Ring;

namespace ChordChat.Node.Transport;

/// <summary>How often one member may make the calls that cost this node or others more than an answer.</summary>
/// <remarks>docs/protocol.md#ring-gossip. Probes and notices have none: one member can make others send them in their
/// own names, and whoever is refused them looks silent.</remarks>
internal sealed class RingPaces(TimeProvider time)
{
    /// <summary>Each question for the ring's state begins a running stabilization anew. An honest node asks one every
    /// two seconds, and more while it looks for its place.</summary>
    public CallPace GetRing { get; } = new(time, atOnceMax: 100, perSecond: 10);

    /// <summary>Each makes this node probe another one.</summary>
    public CallPace PingFor { get; } = new(time, atOnceMax: 64, perSecond: 10);

    /// <summary>Each may make this node tell another one.</summary>
    public CallPace Audit { get; } = new(time, atOnceMax: 200, perSecond: 50);
}

/// <summary>So many calls of each member at once after a rest, and so many a second. Safe for threads.</summary>
internal sealed class CallPace(TimeProvider time, int atOnceMax, int perSecond)
{
    /// <summary>Members whose calls are counted; rested ones make room.</summary>
    private const int CallersMax = 4_096;

    private readonly Lock _turn = new();

    /// <summary>When each caller may make all its calls at once again, of the time since this began.</summary>
    private readonly Dictionary<NodeId, TimeSpan> _restedAt = [];
    private readonly TimeSpan _each = TimeSpan.FromSeconds(1) / perSecond;
    private readonly long _started = time.GetTimestamp();

    public int AtOnceMax => atOnceMax;

    public int PerSecond => perSecond;

    public bool Allows(NodeId caller)
    {
        lock (_turn)
        {
            var now = time.GetElapsedTime(_started);
            if (_restedAt.Count >= CallersMax && !_restedAt.ContainsKey(caller))
                foreach (var (other, at) in _restedAt)
                    if (at <= now)
                        _restedAt.Remove(other);
            var known = _restedAt.GetValueOrDefault(caller);
            var rested = known > now ? known : now;
            if (rested - now > _each * (atOnceMax - 1))
                return false;
            _restedAt[caller] = rested + _each;
            return true;
        }
    }
}
