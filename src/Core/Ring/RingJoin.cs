using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>The way of a node to its place: ask ever closer predecessors; docs/protocol.md, "Ring: join".</summary>
internal static class RingJoin
{
    public const int PlaceTriesMax = 8;

    /// <summary>Starts at the member that the membership cache holds for the nearest before this node.</summary>
    public static (RingState, ImmutableArray<RingEffect>) Begin(RingState s)
    {
        s = SmallRing.Derive(s);
        if (s.Phase is RingPhase.Member)
            return (s, [new RingEffect.StabilizeSoon()]);
        return Next(s with { Walk = Start(s) });
    }

    private static JoinWalk Start(RingState s) => JoinWalk.Empty with { Heard = Trusted(s, s.Live) };

    private static ImmutableArray<Peer> Trusted(RingState s, ImmutableArray<Peer> peers) =>
        peers.RemoveAll(peer => peer.Node == s.Misleading);

    /// <summary>Looks for this member's place once more without leaving it; docs/protocol.md, "Ring: audit".</summary>
    /// <remarks>A read in between voids the answer, as ever; then the next round tries again.</remarks>
    public static (RingState, ImmutableArray<RingEffect>) Again(RingState s) => Next(s with
    {
        PlaceTriesLeft = s.PlaceTriesLeft - 1,
        Walk = Start(s),
    });

    /// <summary>Judges an answer: this node's place is right behind whoever has the next node beyond it.</summary>
    public static (RingState, ImmutableArray<RingEffect>) Continue(RingState s, Peer by, RingAnswer answer)
    {
        if (!answer.Member)
            return Next(s with { Walk = s.Walk with { Outside = s.Walk.Outside.Add(by) } });
        if (answer.Successors.IsEmpty)
            return Enter(s, by, []);
        answer = CacheView.Sift(s, answer);
        var list = Trusted(s, answer.Successors);
        if (list.IsEmpty)
            return Next(s with { Walk = s.Walk with { MetMember = true } });
        if (list[0] == s.Self)
            return Enter(s, by, list.RemoveAt(0));
        if (RingId.Between(by.Position, s.Self.Position, list[0].Position))
            return Enter(s, by, list);
        var heard = answer.Predecessor is { } before ? list.Add(before) : list;
        heard = Trusted(s, s.Walk.Heard.AddRange(heard));
        return Next(s with { Walk = s.Walk with { Heard = heard, MetMember = true } });
    }

    /// <summary>Asks the nearest node before this one that was not asked yet.</summary>
    public static (RingState, ImmutableArray<RingEffect>) Next(RingState s, params ReadOnlySpan<RingEffect> before)
    {
        var walk = s.Walk;
        var next = walk.Heard.Where(peer => peer != s.Self && !walk.Asked.Contains(peer.Node))
            .MinBy(peer => peer.Position.DistanceTo(s.Self.Position));
        if (next is not null && walk.Asked.Count < s.Options.JoinStepsMax)
            return RingProtocol.Ask(
                s with { Walk = walk with { Asked = walk.Asked.Add(next.Node) } }, AskKind.Join, next, before);
        if (s.Phase is RingPhase.Member)
            return (s with { PlaceTriesLeft = 0, Walk = JoinWalk.Empty }, [.. before]); // It stays where it is.
        var allAreStarting = s.MemberCount > 0 && !walk.MetMember && !walk.Outside.IsEmpty;
        return allAreStarting ? TakePlace(s, before)
            : (s with { Misleading = null }, [.. before]); // No other one has helped either.
    }

    /// <summary>docs/protocol.md, "Ring: start": everybody is starting, so each takes its place from the member
    /// list.</summary>
    private static (RingState, ImmutableArray<RingEffect>) TakePlace(RingState s, ReadOnlySpan<RingEffect> before)
    {
        var clockwise = SmallRing.Clockwise(s.Self, s.Walk.Outside);
        var placed = s with
        {
            Phase = RingPhase.Member,
            Successors = [.. clockwise.Take(s.Options.SuccessorCount)],
            Predecessor = clockwise[^1],
            Walk = JoinWalk.Empty,
        };
        return (RingProtocol.Changed(placed), [.. before, new RingEffect.StabilizeSoon()]);
    }

    /// <param name="list">Whoever comes after this node; when that is nobody, <paramref name="by"/> does.</param>
    private static (RingState, ImmutableArray<RingEffect>) Enter(RingState s, Peer by, ImmutableArray<Peer> list)
    {
        var successors = SuccessorList.Cut(s.Self, list, s.Options.SuccessorCount);
        var member = RingProtocol.Changed(s with
        {
            Phase = RingPhase.Member,
            Successors = successors.IsEmpty ? [by] : successors,
            Predecessor = by,
            Walk = JoinWalk.Empty,
            AskedCacheLast = false,
            PlaceTriesLeft = 0,
            EnteredBehind = by.Node,
        });
        return RingProtocol.Ask(member, AskKind.Successor, member.Successors[0]);
    }
}
