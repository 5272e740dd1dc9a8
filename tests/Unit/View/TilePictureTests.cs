using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Links;
using ChordChat.Node.View;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Unit.View;

/// <summary>docs/security.md, "The gate": what one node says of tiles.</summary>
public sealed class TilePictureTests
{
    private static readonly NodeId[] Ids = [.. Enumerable.Range(1, 5).Select(at => new NodeId((ulong)at, 0))];
    private static readonly TileConfiguration Known = new(new(7, 0x5a), 0, 5, [.. Ids[..3]]);

    [Fact]
    public void One_that_lies_draws_no_tile_as_its_own()
    {
        Assert.Equal(Known, Drawn((Ids[4], Held(1UL << 60, "active", Ids[4]))));
        var (next, later) = (Held(6, "active", Ids[1..4]), Held(6, "active", Ids[2..5]));
        Assert.Equal(Known, Drawn((Ids[3], next)));
        Assert.Equal(6UL, Drawn((Ids[1], next)).Epoch); // A member of the known one.
        Assert.Equal(6UL, Drawn((Ids[3], later), (Ids[4], later)).Epoch); // Two that say the same.
        Assert.Equal(Known, Drawn((Ids[3], next), (Ids[4], later)));
    }

    [Fact]
    public void The_phase_is_that_of_the_configuration_that_is_drawn()
    {
        var drawn = Assert.Single(TilePicture.Of(
            [Known], [(Ids[0], Held(4, "sealed", Ids[..3])), (Ids[1], Held(5, "learning", Ids[..3]))]));
        Assert.Equal((Known, "learning"), drawn);
    }

    private static TileConfiguration Drawn(params (NodeId, HeldTile)[] told) =>
        Assert.Single(TilePicture.Of([Known], told)).Configuration;

    private static HeldTile Held(ulong epoch, string phase, params NodeId[] members) => new()
    {
        Bits = (uint)Known.Tile.Bits,
        Prefix = Known.Tile.Prefix,
        Epoch = epoch,
        Phase = phase,
        Members = { members.Select(member => member.ToWire()) },
    };
}
