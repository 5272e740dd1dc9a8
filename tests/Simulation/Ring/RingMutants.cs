using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>Well-known wrong versions of the protocol, made around the right one, to see that the checks find
/// them.</summary>
internal static class RingMutants
{
    /// <summary>Join as in 2001: the joiner knows its successor and nothing else.</summary>
    public static (RingState, ImmutableArray<RingEffect>) OriginalJoin(RingState s, RingInput input)
    {
        var (next, effects) = RingProtocol.Step(s, input);
        return s.Phase is RingPhase.Joining && next is { Phase: RingPhase.Member, Successor: { } successor }
            ? (next with { Successors = [successor], Predecessor = null }, effects)
            : (next, effects);
    }

    /// <summary>Whoever waits for an answer gives none.</summary>
    public static (RingState, ImmutableArray<RingEffect>) BlockWhileAsking(RingState s, RingInput input) =>
        input is RingInput.RingRead && s.Pending is not null ? (s, []) : RingProtocol.Step(s, input);

    /// <summary>A closer node that the successor names is taken up and notified, without asking whether it
    /// lives.</summary>
    public static (RingState, ImmutableArray<RingEffect>) AdoptUnseen(RingState s, RingInput input)
    {
        var (next, effects) = RingProtocol.Step(s, input);
        if (input is not RingInput.Answered || next.Pending is not { Kind: AskKind.Closer, Target: var closer })
            return (next, effects);
        return (next with
        {
            Pending = null,
            Successors = [.. next.Successors.Insert(0, closer).Take(next.Options.SuccessorCount)],
        }, [new RingEffect.Notify(closer)]);
    }
}
