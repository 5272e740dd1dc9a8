using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>What the host has to do after a step of the failure detector, in order.</summary>
public abstract record MembershipEffect
{
    private MembershipEffect() { }

    /// <summary>Ping <paramref name="To"/>; come back with Acked or, after <paramref name="Timeout"/>, with
    /// Missed.</summary>
    /// <param name="Digest">0: nothing to compare.</param>
    public sealed record Ping(
        ulong Probe, Peer To, Member Self, ImmutableArray<Member> Gossip, bool WantAll, ulong Digest, TimeSpan Timeout)
        : MembershipEffect;

    /// <summary>Ask <paramref name="Helper"/> to probe <paramref name="Target"/>; come back with HelperSaid,
    /// always.</summary>
    public sealed record PingFor(ulong Probe, Peer Helper, Peer Target, TimeSpan Timeout) : MembershipEffect;

    /// <summary>The answer to the Pinged of this step.</summary>
    public sealed record Reply(Member Self, ImmutableArray<Member> Gossip) : MembershipEffect;

    /// <summary>For operators and the page.</summary>
    public sealed record Happened(MembershipEvent Event) : MembershipEffect;

    /// <summary>Who is reachable, the count or an address changed: give <see cref="MembershipState.ForRing"/> to
    /// the ring.</summary>
    public sealed record CacheChanged : MembershipEffect;
}

/// <summary>What an operator wants to know about a member.</summary>
public abstract record MembershipEvent(Member Member)
{
    public sealed record Joined(Member Member) : MembershipEvent(Member);

    public sealed record Suspected(Member Member) : MembershipEvent(Member);

    public sealed record AliveAgain(Member Member) : MembershipEvent(Member);

    public sealed record Died(Member Member) : MembershipEvent(Member);

    public sealed record Leaving(Member Member) : MembershipEvent(Member);

    public sealed record Left(Member Member) : MembershipEvent(Member);

    public sealed record AddressChanged(Member Member, string Before) : MembershipEvent(Member);

    /// <summary>There are as many members as the cache takes, and this one is not among them.</summary>
    public sealed record NoRoom(Member Member) : MembershipEvent(Member);

    /// <summary>Others know a later incarnation of this node than it ever had: a copied or restored data
    /// folder.</summary>
    public sealed record OwnIdSeenAhead(Member Member) : MembershipEvent(Member);
}
