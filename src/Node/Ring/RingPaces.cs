using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Ring;

/// <summary>How often one member may make the calls that cost this node or others more than an answer.</summary>
/// <remarks>docs/protocol.md#ring-gossip. Probes and notices have none: one member can make others send them in their
/// own names, and whoever is refused them looks silent.</remarks>
internal sealed class RingPaces(TimeProvider time)
{
    /// <summary>Each question for the ring's state begins a running stabilization anew. An honest node asks one every
    /// two seconds, and more while it looks for its place.</summary>
    public CallPace GetRing { get; } = new(time, atOnceMax: 100, perSecond: 10);

    /// <summary>Each is a walk over this node's routes. An honest node asks one a second for its fingers, and some for
    /// each trace that pages want: of strangers 480 a minute, all at once if they like.</summary>
    public CallPace FindSuccessor { get; } = new(time, atOnceMax: 500, perSecond: 50);

    /// <summary>Each makes this node probe another one.</summary>
    public CallPace PingFor { get; } = new(time, atOnceMax: 64, perSecond: 10);

    /// <summary>Each may make this node tell another one.</summary>
    public CallPace Audit { get; } = new(time, atOnceMax: 200, perSecond: 50);

    /// <summary>Each makes this node count the rows on its disk. An honest node asks for a picture about once a second.
    /// </summary>
    public CallPace Describe { get; } = new(time, atOnceMax: 60, perSecond: 10);
}

/// <summary>So many calls of each member at once after a rest, and so many a second. Safe for threads.</summary>
internal sealed class CallPace(TimeProvider time, int atOnceMax, int perSecond)
{
    private readonly Lock _turn = new();
    private readonly MemberBudget _calls = new(atOnceMax, TimeSpan.FromSeconds(1) / perSecond);
    private readonly long _started = time.GetTimestamp();

    public bool Allows(NodeId caller)
    {
        lock (_turn)
            return _calls.Take(caller, 1, time.GetElapsedTime(_started)) > 0;
    }
}
