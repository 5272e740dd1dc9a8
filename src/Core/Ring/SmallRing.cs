using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>While N is at most r + 1 every list is everybody; docs/protocol.md, "Ring: small rings".</summary>
internal static class SmallRing
{
    /// <summary>In a small ring, the lists that follow from the cache; otherwise the state as it was.</summary>
    public static RingState Derive(RingState s)
    {
        if (!s.IsSmall || s.Phase is RingPhase.Left)
            return s;
        var everybody = Clockwise(s.Self, s.Live);
        var phase = !everybody.IsEmpty || s.MemberCount == 1 ? RingPhase.Member
            : s.Phase is RingPhase.Member ? RingPhase.Isolated : s.Phase;
        var predecessor = everybody.IsEmpty ? null : everybody[^1];
        if (phase == s.Phase && predecessor == s.Predecessor && everybody.SequenceEqual(s.Successors))
            return s;
        return RingProtocol.Changed(s with { Phase = phase, Successors = everybody, Predecessor = predecessor });
    }

    /// <summary>Peers in the order in which they are met clockwise from <paramref name="self"/>.</summary>
    public static ImmutableArray<Peer> Clockwise(Peer self, ImmutableArray<Peer> peers) =>
        [.. peers.Where(peer => peer.Position != self.Position)
            .OrderBy(peer => self.Position.DistanceTo(peer.Position)).DistinctBy(peer => peer.Position)];
}
