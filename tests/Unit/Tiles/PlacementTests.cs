using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#tiles.</summary>
public class PlacementTests
{
    private static readonly (RingId Position, NodeId Node)[] Ring =
        [.. Enumerable.Range(0, 5).Select(i => (new RingId((UInt128)i << 125), new NodeId((UInt128)i, 1)))];

    [Fact]
    public void The_owner_is_the_first_node_at_or_after_the_start_and_the_copies_follow_it()
    {
        Assert.Equal([Ring[1].Node, Ring[2].Node, Ring[3].Node], Members(3, 1, Ring, 3));
        Assert.Equal([Ring[4].Node, Ring[0].Node, Ring[1].Node], Members(4, 7, Ring, 3));
        Assert.Equal([Ring[0].Node, Ring[1].Node], Members(3, 7, Ring, 2));
    }

    [Fact]
    public void A_small_ring_keeps_everything_everywhere() =>
        Assert.Equal([Ring[1].Node, Ring[0].Node], Members(3, 1, Ring[..2], 3));

    [Fact]
    public void Genesis_is_the_same_in_whatever_order_the_founders_are_named()
    {
        var genesis = Placement.Genesis(Ring, 3, 7).ToArray();
        Assert.Equal(genesis, Placement.Genesis(Ring.Reverse(), 3, 7));
        Assert.Equal(128, genesis.Length);
        Assert.All(genesis, tile => Assert.Equal((1UL, 3, 2), (tile.Epoch, tile.Members.Length, tile.Majority)));
    }

    private static NodeId[] Members(int bits, uint prefix, (RingId Position, NodeId Node)[] ring, int copies) =>
        [.. Placement.Members(new TileId(bits, prefix), ring, copies)];
}
