using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#tiles.</summary>
public class TileIdTests
{
    [Theory]
    [InlineData(0, 0, "0/0")]
    [InlineData(1, 1, "1/1")]
    [InlineData(7, 0x5a, "5a/7")]
    [InlineData(7, 5, "05/7")]
    [InlineData(24, 0xabcdef, "abcdef/24")]
    public void A_tile_is_written_as_prefix_and_bits(int bits, uint prefix, string text)
    {
        Assert.Equal(text, new TileId(bits, prefix).ToString());
        Assert.True(TileId.TryParse(text, out var tile));
        Assert.Equal(new TileId(bits, prefix), tile);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5a")]
    [InlineData("5/7")]
    [InlineData("5A/7")]
    [InlineData("80/7")]
    [InlineData("0/25")]
    [InlineData("5a/-7")]
    public void Nothing_else_is_read_as_a_tile(string text) => Assert.False(TileId.TryParse(text, out _));

    [Fact]
    public void The_tiles_cover_the_circle_without_overlap()
    {
        var next = UInt128.Zero;
        foreach (var tile in TileId.All(7))
        {
            Assert.Equal(next, tile.Start.Value);
            Assert.Equal(tile, TileId.Of(tile.Start, 7));
            Assert.Equal(tile, TileId.Of(tile.End, 7));
            Assert.True(tile.Contains(tile.End));
            next = unchecked(tile.End.Value + 1);
            Assert.False(tile.Contains(new RingId(next)));
        }

        Assert.Equal(UInt128.Zero, next);
    }

    [Fact]
    public void A_circle_of_no_bits_is_one_tile() =>
        Assert.Equal((RingId)new(UInt128.MaxValue), Assert.Single(TileId.All(0)).End);
}
