using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>What can happen to the failure detector and the gossip of one node.</summary>
/// <remarks><c>Now</c> is this node's own running time; only differences are used.</remarks>
public abstract record MembershipInput(TimeSpan Now)
{
    /// <summary>The probe timer.</summary>
    /// <param name="Neighbours">Always probed: the first successors and the predecessor.</param>
    public sealed record ProbeDue(TimeSpan Now, ImmutableArray<Peer> Neighbours) : MembershipInput(Now);

    /// <summary>The answer to <see cref="MembershipEffect.Ping"/>. The transport checked that it is
    /// <paramref name="From"/>'s, if it was sent to it: the node is that of the certificate.</summary>
    /// <remarks>Probe 0: somebody answered at an address, and says that it is this one.</remarks>
    public sealed record Acked(TimeSpan Now, ulong Probe, Member From, ImmutableArray<Member> Gossip)
        : MembershipInput(Now);

    /// <summary>No answer in time to <see cref="MembershipEffect.Ping"/>.</summary>
    /// <param name="Refused">The machine is there and refuses the connection: no process listens.</param>
    public sealed record Missed(TimeSpan Now, ulong Probe, bool Refused = false) : MembershipInput(Now);

    /// <summary>The member itself says to <see cref="MembershipEffect.Ping"/> that it has too many calls: it is there.
    /// </summary>
    public sealed record Busy(TimeSpan Now, ulong Probe) : MembershipInput(Now);

    /// <summary>What a helper says to <see cref="MembershipEffect.PingFor"/>: true or false what it saw, null when the
    /// helper itself did not answer.</summary>
    public sealed record HelperSaid(TimeSpan Now, ulong Probe, bool? Answered) : MembershipInput(Now);

    /// <summary>Somebody probes this node; answered at once by <see cref="MembershipEffect.Reply"/>. Node and
    /// position of <paramref name="From"/> are those of its certificate.</summary>
    public sealed record Pinged(
        TimeSpan Now, Member From, ImmutableArray<Member> Gossip, bool WantAll, ulong Digest) : MembershipInput(Now);

    /// <summary>A beacon, a seed or a peer's word that <paramref name="Peer"/> is at its address. Probed, not
    /// believed.</summary>
    public sealed record HeardOf(TimeSpan Now, Peer Peer) : MembershipInput(Now);

    /// <summary>A call to <paramref name="Peer"/> went unanswered elsewhere. Probed, not believed.</summary>
    public sealed record Unreachable(TimeSpan Now, Peer Peer) : MembershipInput(Now);

    /// <summary>The genesis names these members. They count, but nobody has heard them yet.</summary>
    public sealed record Founded(TimeSpan Now, ImmutableArray<Peer> Founders) : MembershipInput(Now);

    /// <summary>This process was paused (a timer fired late): what it missed says nothing about the others.</summary>
    public sealed record Paused(TimeSpan Now) : MembershipInput(Now);

    /// <summary>This node is reached at another address from now on.</summary>
    public sealed record Moved(TimeSpan Now, string Address) : MembershipInput(Now);

    /// <summary>The operator has revoked the certificates of these nodes; all that were ever revoked.</summary>
    public sealed record Denied(TimeSpan Now, ImmutableArray<NodeId> Nodes) : MembershipInput(Now);

    /// <summary>This node is about to go: still answers, gets no new tiles.</summary>
    public sealed record LeaveBegun(TimeSpan Now) : MembershipInput(Now);

    /// <summary>This node goes now; the pings of this step are its last words.</summary>
    public sealed record LeaveDone(TimeSpan Now) : MembershipInput(Now);
}
