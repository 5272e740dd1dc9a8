using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>What the ring layer takes from the membership cache; docs/protocol.md, "Ring: the dead".</summary>
internal static class CacheView
{
    /// <summary>Takes over who is reachable, where, and who is gone; the gone leave every pointer.</summary>
    public static (RingState, ImmutableArray<RingEffect>) Know(RingState s, RingInput.MembersKnown heard)
    {
        var live = heard.Live.Remove(s.Self);
        var newest = live.ToDictionary(peer => peer.Node);
        var known = SmallRing.Derive(Purge(s with
        {
            Live = live,
            MemberCount = heard.Count,
            Gone = heard.Gone,
            Successors = [.. s.Successors.Select(peer => newest.GetValueOrDefault(peer.Node, peer))],
            Predecessor = s.Predecessor is { } before ? newest.GetValueOrDefault(before.Node, before) : null,
        }));
        if (known.Phase is RingPhase.Member && known.Successors.IsEmpty && known.MemberCount > 1)
            known = known with { Phase = RingPhase.Isolated, Walk = JoinWalk.Empty };
        var wakes = !live.IsEmpty && s.Live.IsEmpty || known.Phase != s.Phase || known.Successor != s.Successor;
        return (known, wakes ? [new RingEffect.StabilizeSoon()] : []);
    }

    /// <summary>What another node told, without those who are gone as far as this node knows.</summary>
    public static RingAnswer WithoutGone(RingState s, RingAnswer answer) => answer with
    {
        Predecessor = answer.Predecessor is { } before && s.Gone.Contains(before.Node) ? null : answer.Predecessor,
        Successors = answer.Successors.RemoveAll(peer => s.Gone.Contains(peer.Node)),
    };

    private static RingState Purge(RingState s)
    {
        bool IsGone(Peer? peer) => peer is not null && s.Gone.Contains(peer.Node);
        var left = s.Successors.RemoveAll(IsGone);
        var isTouched = left.Length != s.Successors.Length || IsGone(s.Predecessor);
        s = s with { Candidate = IsGone(s.Candidate) ? null : s.Candidate };
        return !isTouched ? s : RingProtocol.Changed(s with
        {
            Successors = left,
            Predecessor = IsGone(s.Predecessor) ? null : s.Predecessor,
        });
    }
}
