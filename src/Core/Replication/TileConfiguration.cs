using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Who may answer for a tile: one link of the tile's chain of agreed configurations.</summary>
/// <param name="Generation">0, unless an operator once gave up data to recover; larger wins.</param>
/// <param name="Epoch">The link's number; genesis is 1. There is one configuration per (generation, epoch).</param>
/// <param name="Members">In steward order: the preferred owner first. Compared in order.</param>
public sealed record TileConfiguration(TileId Tile, ulong Generation, ulong Epoch, ImmutableArray<NodeId> Members)
{
    /// <summary>How many members make a quorum: any two quorums share a member.</summary>
    public int Majority => (Members.Length / 2) + 1;

    /// <summary>What requests for this configuration are stamped with.</summary>
    public TileEpoch At => new(Tile, Generation, Epoch);

    public bool Contains(NodeId node) => Members.Contains(node);

    public bool IsNewerThan(TileConfiguration? other) =>
        other is null || Generation > other.Generation || (Generation == other.Generation && Epoch > other.Epoch);

    /// <summary>Whether an operator's order began this one, given what is named as the one before: then that one's
    /// members are the survivors, all of whom a learner needs.</summary>
    /// <remarks>docs/protocol.md#generations.</remarks>
    public bool IsOrdered(TileConfiguration? previous) => previous is not null && previous.Generation < Generation;

    /// <summary>The link after this one, with other members.</summary>
    public TileConfiguration Next(ImmutableArray<NodeId> members) => this with { Epoch = Epoch + 1, Members = members };

    public bool Equals(TileConfiguration? other) => other is not null
        && Tile == other.Tile && Generation == other.Generation && Epoch == other.Epoch
        && Members.AsSpan().SequenceEqual(other.Members.AsSpan());

    public override int GetHashCode() => Tile.GetHashCode() ^ Epoch.GetHashCode();

    public override string ToString() =>
        $"{Tile}@{Epoch}[{string.Join(' ', Members.Select(m => m.ToString()[..8]))}]";
}

/// <summary>A tile at one link of its chain. A request is executed only where it matches exactly.</summary>
public readonly record struct TileEpoch(TileId Tile, ulong Generation, ulong Epoch);
