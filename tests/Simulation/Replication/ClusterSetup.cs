using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>What all nodes of a simulated cluster share, and what the checkers watch.</summary>
internal sealed class ClusterSetup
{
    public required ImmutableArray<NodeId> Ids { get; init; }
    public required TileConfiguration Genesis { get; init; }
    public required CoordinatorOptions Options { get; init; }
    public required StewardOptions StewardOptions { get; init; }
    public required Func<bool> StewardsAct { get; init; }
    public ReplicaRules Rules { get; init; } = ReplicaRules.Protocol;
    public bool ForgetsPromises { get; init; }
    public TimeSpan SyncMin { get; init; } = TimeSpan.FromMilliseconds(0.1);
    public TimeSpan SyncMax { get; init; } = TimeSpan.FromMilliseconds(3);
    public double DelicateLoss { get; set; }
    public ImmutableArray<NodeId> Preferred { get; set; }

    /// <summary>Called for every header that a replica takes on.</summary>
    public required Action<int, TileHeader> Observe { get; init; }

    /// <summary>Called for every decision that a steward completes.</summary>
    public required Action<TileConfiguration> Decided { get; init; }

    public int NumberOf(NodeId node) => Ids.IndexOf(node);

    /// <summary>Ids that are told apart by their first hex digit.</summary>
    public static ImmutableArray<NodeId> Name(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new NodeId((UInt128)(ulong)i << 124, 0))];
}
