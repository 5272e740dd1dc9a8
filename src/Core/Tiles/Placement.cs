using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Which nodes should keep a tile. What they may answer is decided by configurations alone.</summary>
public static class Placement
{
    /// <summary>The owner (first node at or clockwise after the tile's start) and the next
    /// <paramref name="copies"/> - 1 nodes.</summary>
    /// <param name="ring">Nodes in order of position.</param>
    public static ImmutableArray<NodeId> Members(
        TileId tile, IReadOnlyList<(RingId Position, NodeId Node)> ring, int copies)
    {
        var owner = 0;
        while (owner < ring.Count && ring[owner].Position < tile.Start)
            owner++;
        return [.. Enumerable.Range(owner, Math.Min(copies, ring.Count)).Select(i => ring[i % ring.Count].Node)];
    }

    /// <summary>The first configuration of every tile, the same at every node that knows the founders.</summary>
    /// <param name="founders">In any order.</param>
    /// <param name="copies">K + 1.</param>
    public static IEnumerable<TileConfiguration> Genesis(
        IEnumerable<(RingId Position, NodeId Node)> founders, int copies, int bits)
    {
        var ring = founders.OrderBy(founder => founder.Position).ToArray();
        return TileId.All(bits).Select(tile => new TileConfiguration(tile, 0, 1, Members(tile, ring, copies)));
    }
}
