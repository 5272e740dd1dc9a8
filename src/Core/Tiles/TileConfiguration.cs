using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Who may answer for a tile: one link of the tile's chain of agreed configurations.</summary>
/// <param name="Generation">0, unless an operator once gave up data to recover; larger wins.</param>
/// <param name="Epoch">The link's number; genesis is 1. There is one configuration per (generation, epoch).</param>
/// <param name="Members">In steward order: the preferred owner first. Compared in order.</param>
public sealed record TileConfiguration(TileId Tile, ulong Generation, ulong Epoch, ImmutableArray<NodeId> Members)
{
    /// <summary>The epochs at which the tiles ended that this one was cut out of, the widest first; none for a tile of
    /// the genesis.</summary>
    /// <remarks>docs/protocol.md#tile-split. They grow, and <see cref="Epoch"/> is larger.</remarks>
    public ImmutableArray<ulong> Splits
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>How many members make a quorum: any two quorums share a member.</summary>
    public int Majority => (Members.Length / 2) + 1;

    /// <summary>What requests for this configuration are stamped with.</summary>
    public TileEpoch At => new(Tile, Generation, Epoch);

    public bool Contains(NodeId node) => Members.Contains(node);

    public bool IsNewerThan(TileConfiguration? other) =>
        other is null || Generation > other.Generation || (Generation == other.Generation && Epoch > other.Epoch);

    /// <summary>Whether it can be true, given a known configuration of this tile or of a wider one that holds it: a
    /// part of a tile is newer than the tile was, and a tile that was cut has no later epoch.</summary>
    public bool IsPossibleAfter(TileConfiguration known) =>
        (Splits is not [.., var end] || end < Epoch)
        && (known.Tile == Tile || (known.Tile.Contains(Tile) && IsNewerThan(known)
            && (Generation > known.Generation || SplitEpoch(known.Tile) >= known.Epoch)));

    /// <summary>Whether an operator's order began this one, given what is named as the one before: then that one's
    /// members are the survivors, all of whom a learner needs.</summary>
    /// <remarks>docs/protocol.md#generations.</remarks>
    public bool IsOrdered(TileConfiguration? previous) => previous is not null && previous.Generation < Generation;

    /// <summary>The link after this one, with other members.</summary>
    public TileConfiguration Next(ImmutableArray<NodeId> members) => this with { Epoch = Epoch + 1, Members = members };

    /// <summary>Both halves of this tile at this epoch, with these members: what its rows are once it is cut.</summary>
    internal ImmutableArray<TileConfiguration> Halves()
    {
        ImmutableArray<ulong> splits = [.. Splits, Epoch];
        return [this with { Tile = Tile.First, Splits = splits }, this with { Tile = Tile.Second, Splits = splits }];
    }

    /// <summary>At which epoch a wider tile ended that this one was cut out of.</summary>
    internal ulong SplitEpoch(TileId wider) => Splits[Splits.Length - (Tile.Bits - wider.Bits)];

    /// <summary>Whether this can be what the end of <paramref name="at"/> decided: the next epoch of the tile, or that
    /// of its first half, which stands for both.</summary>
    public bool Follows(TileEpoch at) => Generation == at.Generation && Epoch == at.Epoch + 1
        && (Tile == at.Tile || (Tile.Bits == at.Tile.Bits + 1 && Tile == at.Tile.First
            && Splits.Length > 0 && Splits[^1] == at.Epoch));

    /// <summary>The same, and it is cut like this one: only a cut adds to <see cref="Splits"/>, and it changes no
    /// members. docs/protocol.md#next-members</summary>
    public bool Follows(TileConfiguration ended) => Follows(ended.At) && (Tile == ended.Tile
        ? Splits.AsSpan().SequenceEqual(ended.Splits.AsSpan())
        : Splits.AsSpan()[..^1].SequenceEqual(ended.Splits.AsSpan())
            && Members.AsSpan().SequenceEqual(ended.Members.AsSpan()));

    /// <summary>The configurations that this one ends in when <paramref name="next"/> is decided, each with the one
    /// before it: one, or both halves.</summary>
    public IEnumerable<(TileConfiguration Next, TileConfiguration Previous)> Successors(TileConfiguration next) =>
        next.Tile == Tile ? [(next, this)] : Halves().Select(half => (half.Next(half.Members), half));

    public bool Equals(TileConfiguration? other) => other is not null
        && Tile == other.Tile && Generation == other.Generation && Epoch == other.Epoch
        && Members.AsSpan().SequenceEqual(other.Members.AsSpan())
        && Splits.AsSpan().SequenceEqual(other.Splits.AsSpan());

    public override int GetHashCode() => Tile.GetHashCode() ^ Epoch.GetHashCode();

    public override string ToString() =>
        $"{Tile}@{Epoch}[{string.Join(' ', Members.Select(m => m.ShortForm))}]";
}

/// <summary>A tile at one link of its chain. A request is executed only where it matches exactly.</summary>
public readonly record struct TileEpoch(TileId Tile, ulong Generation, ulong Epoch);
