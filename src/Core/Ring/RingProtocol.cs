using System.Collections.Immutable;
using static ChordChat.Core.Ring.RingInput;

namespace ChordChat.Core.Ring;

/// <summary>Chord with Zave's corrected operations, as one pure step.</summary>
/// <remarks>
/// Rules: docs/protocol.md, the headings that start with "Ring". No node enters the state unless it was heard, except
/// by the small-ring rule. Sources: Stoica et al. (SIGCOMM 2001); Zave, How to Make Chord Correct (TSE 2017).
/// </remarks>
public static class RingProtocol
{
    private static readonly ImmutableArray<RingEffect> Nothing = [];

    /// <summary>What the node believes after <paramref name="input"/>, and what its host has to do.</summary>
    public static (RingState State, ImmutableArray<RingEffect> Effects) Step(RingState s, RingInput input)
    {
        var (next, effects) = input switch
        {
            StabilizeDue when s.Pending is not null => (s, Nothing),
            StabilizeDue when s.Phase is RingPhase.Joining or RingPhase.Isolated => RingJoin.Begin(s),
            StabilizeDue when s.Phase is RingPhase.Member => Stabilize(s),
            RingRead => Read(s),
            Notified(var from) when s.Phase is RingPhase.Member && from != s.Self => Rectify(s, from),
            Answered(var nonce, var answer) when Awaited(s, nonce) is { } ask => Learn(Close(s), ask, answer),
            StillAlive(var nonce) when Awaited(s, nonce) is not null => (Close(s) with { Candidate = null }, Nothing),
            AskTimedOut(var nonce) when Awaited(s, nonce) is { } ask => GiveUp(Close(s), ask),
            AskRefused(var nonce) when Awaited(s, nonce) is { } ask => ask.Kind is AskKind.Join
                ? GiveUp(Close(s), ask) : (Close(s), Nothing),
            MembersKnown known => CacheView.Know(s, known),
            AuditFailed when s.Phase is RingPhase.Member && !s.IsSmall => RingJoin.Again(
                s with { Pending = null, PlaceTriesLeft = RingJoin.PlaceTriesMax }),
            Paused => (s with { Pending = null }, Nothing),
            LeaveDue => (s with { Phase = RingPhase.Left, Pending = null }, Nothing),
            _ => (s, Nothing),
        };
        (next, effects) = AskNextCandidate(next, effects);
        if (next.Phase != s.Phase)
            effects = effects.Add(new RingEffect.PhaseChanged(next.Phase));
        CheckList(next);
        return (next, effects);
    }

    /// <summary>Opens the one question that may be on its way.</summary>
    internal static (RingState, ImmutableArray<RingEffect>) Ask(
        RingState s, AskKind kind, Peer target, params ReadOnlySpan<RingEffect> before)
    {
        Check.That(s.Pending is null, "one question at a time");
        var ask = new PendingAsk(s.NextNonce, kind, target, s.Version);
        RingEffect effect = kind == AskKind.Predecessor
            ? new RingEffect.AskAlive(ask.Nonce, target)
            : new RingEffect.AskRing(ask.Nonce, target);
        return (s with { Pending = ask, NextNonce = s.NextNonce + 1 }, [.. before, effect]);
    }

    /// <summary>A state whose ring part changed: whatever was about to be learned for the old one is void.</summary>
    internal static RingState Changed(RingState s) => s with { Version = s.Version + 1 };

    /// <summary>docs/protocol.md, "Ring: stabilize".</summary>
    private static (RingState, ImmutableArray<RingEffect>) Stabilize(RingState s)
    {
        s = SmallRing.Derive(s);
        if (s.Phase is not RingPhase.Member || s.Successor is not { } head)
            return s.MemberCount > 1 ? RingJoin.Begin(s with { Phase = RingPhase.Isolated }) : (s, Nothing);
        if (s.PlaceTriesLeft > 0)
            return RingJoin.Again(s);
        if (!s.IsSmall && !s.AskedCacheLast && NearestLive(s) is { } closer && IsCloser(s, closer))
            return Ask(s with { AskedCacheLast = true }, AskKind.Closer, closer);
        return Ask(s with { AskedCacheLast = false }, AskKind.Successor, head);
    }

    /// <summary>docs/protocol.md, "Ring: read-abort": a read makes void what this node was about to learn.</summary>
    private static (RingState, ImmutableArray<RingEffect>) Read(RingState s) => s.Phase is RingPhase.Member
        ? (Changed(s), [new RingEffect.Reveal(new RingAnswer(true, s.Predecessor, s.Successors))])
        : (s, [new RingEffect.Reveal(RingAnswer.NotMember)]);

    private static PendingAsk? Awaited(RingState s, ulong nonce) =>
        s.Pending is { } ask && ask.Nonce == nonce ? ask : null;

    /// <summary>Doubles with every answer thrown away, so that nodes which ask in step get out of it.</summary>
    private static TimeSpan WaitAfterVoid(RingState s)
    {
        var wait = TimeSpan.FromMilliseconds(100) * (1 << Math.Min(s.VoidCount, 10));
        return wait < s.Options.StabilizeInterval ? wait : s.Options.StabilizeInterval;
    }

    private static RingState Close(RingState s) => s with { Pending = null };

    private static (RingState, ImmutableArray<RingEffect>) Learn(RingState s, PendingAsk ask, RingAnswer answer)
    {
        if (s.Version != ask.VersionAtAsk)
            return (
                s with { VoidCount = s.VoidCount + 1 },
                [new RingEffect.StabilizeSoon { Within = WaitAfterVoid(s) }]);
        s = s with { VoidCount = 0 };
        var by = CacheView.AsKnown(s, ask.Target); // Meanwhile the cache may know where it stands.
        return ask.Kind switch
        {
            AskKind.Join => RingJoin.Continue(s, by, answer),
            AskKind.Successor => FromSuccessor(s, by, CacheView.Sift(s, answer)),
            AskKind.Closer => FromCloser(s, by, CacheView.Sift(s, answer)),
            _ => (s, Nothing),
        };
    }

    private static (RingState, ImmutableArray<RingEffect>) FromSuccessor(RingState s, Peer head, RingAnswer answer)
    {
        if (s.Successor != head)
            return (s, Nothing);
        if (s.IsSmall)
            return (s, [new RingEffect.Notify(head)]);
        if (!answer.Member)
            return DropHead(s, head);
        s = Changed(s with
        {
            Successors = SuccessorList.Following(s, head, answer.Successors),
            EnteredBehind = null,
        });
        return answer.Predecessor is { } closer && closer != s.Self && IsCloser(s, closer)
            ? Ask(s, AskKind.Closer, closer)
            : (s, [new RingEffect.Notify(head)]);
    }

    private static (RingState, ImmutableArray<RingEffect>) FromCloser(RingState s, Peer closer, RingAnswer answer)
    {
        if (s.Successor is not { } head)
            return (s, Nothing);
        if (!answer.Member || s.IsSmall || !IsCloser(s, closer))
            return (s, [new RingEffect.Notify(head)]);
        s = Changed(s with { Successors = SuccessorList.Following(s, closer, answer.Successors) });
        return (s, [new RingEffect.Notify(closer)]);
    }

    private static (RingState, ImmutableArray<RingEffect>) GiveUp(RingState s, PendingAsk ask)
    {
        var report = new RingEffect.Unreachable(ask.Target);
        switch (ask.Kind)
        {
            case AskKind.Successor when s.Successor == ask.Target:
                var (dropped, effects) = DropHead(s, ask.Target);
                return (dropped, [report, .. effects]);
            case AskKind.Closer when s.Successor is { } head:
                return (s, [report, new RingEffect.Notify(head)]);
            case AskKind.Predecessor when s.Predecessor == ask.Target:
                return (Changed(s with { Predecessor = s.Candidate, Candidate = null }), [report]);
            case AskKind.Join:
                return RingJoin.Next(s, report);
            default:
                return (s, [report]);
        }
    }

    /// <summary>Drops a dead first successor and asks the next one at once.</summary>
    private static (RingState, ImmutableArray<RingEffect>) DropHead(RingState s, Peer head)
    {
        s = Changed(s with { Successors = s.Successors.Remove(head) });
        return s.Successor is { } next
            ? Ask(s with { AskedCacheLast = false }, AskKind.Successor, next)
            : (Isolated(s), [new RingEffect.StabilizeSoon()]);
    }

    /// <summary>The last successor is gone.</summary>
    internal static RingState Isolated(RingState s) => s with
    {
        Phase = RingPhase.Isolated,
        Walk = JoinWalk.Empty,
        Misleading = s.EnteredBehind ?? s.Misleading,
        EnteredBehind = null,
    };

    /// <summary>docs/protocol.md, "Ring: rectify".</summary>
    private static (RingState, ImmutableArray<RingEffect>) Rectify(RingState s, Peer from)
    {
        if (s.IsSmall || from.Position == s.Self.Position)
            return (s, Nothing);
        if (s.Successors.IsEmpty)
            return (Changed(s with { Predecessor = from, Successors = [from] }), Nothing);
        if (s.Predecessor is not { } known || RingId.Between(known.Position, from.Position, s.Self.Position))
            return (Changed(s with { Predecessor = from }), Nothing);
        if (from == known)
            return (s, Nothing);
        var better = s.Candidate is { } waiting
            && !RingId.Between(waiting.Position, from.Position, s.Self.Position) ? waiting : from;
        return (s with { Candidate = better }, Nothing);
    }

    /// <summary>A waiting notifier is dealt with as soon as no question is on its way.</summary>
    private static (RingState, ImmutableArray<RingEffect>) AskNextCandidate(
        RingState s, ImmutableArray<RingEffect> effects)
    {
        if (s.Candidate is not { } candidate || s.Pending is not null)
            return (s, effects);
        if (s.Phase is not RingPhase.Member || s.Predecessor is not { } known || s.IsSmall
            || candidate == known || RingId.Between(candidate.Position, known.Position, s.Self.Position) is false)
            return (s with { Candidate = null }, effects);
        var (asking, ask) = Ask(s, AskKind.Predecessor, known);
        return (asking, effects.AddRange(ask));
    }

    private static bool IsCloser(RingState s, Peer peer) => s.Successor is { } head
        && RingId.Between(s.Self.Position, peer.Position, head.Position);

    private static Peer? NearestLive(RingState s) =>
        s.Live.IsEmpty ? null : s.Live.MinBy(peer => s.Self.Position.DistanceTo(peer.Position));

    private static void CheckList(RingState s)
    {
        Check.That(s.Successors.Length <= Math.Max(s.Options.SuccessorCount, s.IsSmall ? s.Live.Length : 0),
            "at most r successors");
        var before = s.Self.Position;
        for (var i = 0; i < s.Successors.Length; before = s.Successors[i++].Position)
            Check.That(
                s.Successors[i] != s.Self && s.Successors.IndexOf(s.Successors[i]) == i
                && RingId.Between(before, s.Successors[i].Position, s.Self.Position),
                "successors stand clockwise, without this node, none twice");
    }
}
