using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>What the ring layer takes from the membership cache; docs/protocol.md, "Ring: the dead".</summary>
internal static class CacheView
{
    /// <summary>Takes over who is reachable, where, and who is gone; the gone leave every pointer.</summary>
    public static (RingState, ImmutableArray<RingEffect>) Know(RingState s, RingInput.MembersKnown heard)
    {
        var wasAlone = s.Live.IsEmpty;
        var known = SmallRing.Derive(Purge(Place(s with
        {
            Live = heard.Live.Remove(s.Self),
            MemberCount = heard.Count,
            Gone = heard.Gone,
        })));
        if (known.Phase is RingPhase.Member && known.Successors.IsEmpty && known.MemberCount > 1)
            known = RingProtocol.Isolated(known);
        var wakes = !known.Live.IsEmpty && wasAlone || known.Phase != s.Phase || known.Successor != s.Successor;
        return (known, wakes ? [new RingEffect.StabilizeSoon()] : []);
    }

    /// <summary>What another node told, as far as it can be: each member where this node knows it, without those who
    /// are gone and without others at this node's own place.</summary>
    public static RingAnswer Sift(RingState s, RingAnswer answer)
    {
        ImmutableArray<Peer> before = answer.Predecessor is { } told ? [told] : [];
        return answer with
        {
            Predecessor = Sift(s, before) is [var predecessor] ? predecessor : null,
            Successors = Sift(s, answer.Successors),
        };
    }

    private static ImmutableArray<Peer> Sift(RingState s, ImmutableArray<Peer> told) => AsKnown(s, WithoutGone(s, told))
        .RemoveAll(peer => peer != s.Self && peer.Position == s.Self.Position);

    /// <summary>A peer at the position and the address that this node's cache has for it.</summary>
    public static Peer AsKnown(RingState s, Peer named) => AsKnown(s, [named])[0];

    /// <remarks>One walk over the cache: it is much longer than a list.</remarks>
    private static ImmutableArray<Peer> AsKnown(RingState s, ImmutableArray<Peer> named)
    {
        var known = named.Select(peer => peer.Node).Distinct().ToDictionary(node => node, _ => (Peer?)null);
        foreach (var peer in s.Live)
            if (known.ContainsKey(peer.Node))
                known[peer.Node] = peer;
        if (known.ContainsKey(s.Self.Node))
            known[s.Self.Node] = s.Self;
        return [.. named.Select(peer => known[peer.Node] ?? peer)];
    }

    /// <summary>Moves successors and predecessor to where the cache knows them now. Others may have said that they
    /// stand elsewhere, so the list is put in order again; it loses nobody.</summary>
    private static RingState Place(RingState s)
    {
        var placed = AsKnown(s, s.Successors);
        var before = s.Predecessor is { } known ? AsKnown(s, known) : null;
        var isMoved = before?.Position != s.Predecessor?.Position
            || placed.Zip(s.Successors).Any(pair => pair.First.Position != pair.Second.Position);
        return !isMoved ? s with { Successors = placed, Predecessor = before } : RingProtocol.Changed(s with
        {
            Successors = SmallRing.Clockwise(s.Self, placed),
            Predecessor = before,
        });
    }

    private static RingState Purge(RingState s)
    {
        var left = WithoutGone(s, s.Successors);
        var before = WithoutGone(s, s.Predecessor);
        s = s with { Candidate = WithoutGone(s, s.Candidate) };
        return left.Length == s.Successors.Length && before == s.Predecessor ? s
            : RingProtocol.Changed(s with { Successors = left, Predecessor = before });
    }

    private static Peer? WithoutGone(RingState s, Peer? peer) =>
        peer is not null && s.Gone.Contains(peer.Node) ? null : peer;

    /// <remarks>One walk over the gone: they may be many more.</remarks>
    private static ImmutableArray<Peer> WithoutGone(RingState s, ImmutableArray<Peer> named)
    {
        var nodes = named.Select(peer => peer.Node).ToHashSet();
        nodes.ExceptWith(s.Gone);
        return named.RemoveAll(peer => !nodes.Contains(peer.Node));
    }
}
