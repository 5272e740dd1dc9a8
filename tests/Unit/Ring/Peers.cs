using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>Peers named after their positions, and rings made of them.</summary>
internal static class Peers
{
    public static Peer At(UInt128 position) =>
        new(new NodeId(0, position + 1), new RingId(position), $"n{position}", $"host{position}:7401");

    public static ImmutableArray<Peer> All(params int[] positions) =>
        [.. positions.Select(position => At((UInt128)position))];

    public static RingState Member(int self, int? predecessor, params int[] successors) =>
        RingState.Starting(At((UInt128)self), new RingOptions { SuccessorCount = 3 }) with
        {
            Phase = RingPhase.Member,
            Predecessor = predecessor is { } p ? At((UInt128)p) : null,
            Successors = All(successors),
        };
}
