using ChordChat.Core.Tiles;
using ChordChat.Node.Commands;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

/// <summary>docs/protocol.md#generations, "Which tiles there are".</summary>
public sealed class TileListsTests
{
    private static readonly TileId[] Known = [.. TileId.All(3)];

    [Fact]
    public void Of_three_lists_one_that_is_made_up_decides_nothing()
    {
        TileId[] made = [new(8, 1), new(8, 2)];
        var lists = Of(("n1", Known), ("n2", Known), ("n3", [.. Known[2..], .. made]));
        Assert.Equal(Known, lists.Tiles);
        Assert.Equal(
            [
                $"n3 does not list tile {Known[0]} and 1 more, as others do: it lies, or has not heard yet that a tile "
                    + "was cut.",
                $"Only n3 lists tile {made[0]} and 1 more: it lies, or the others have not heard yet that a tile was "
                    + "cut. This is passed over.",
            ],
            lists.Doubts());
    }

    [Fact]
    public void Of_two_lists_each_tile_counts_and_of_one_too()
    {
        var lists = Of(("n1", Known[..1]), ("n2", Known[1..]));
        Assert.Equal(Known, lists.Tiles);
        Assert.Equal(2, lists.Doubts().Count());
        Assert.Equal(Known, Of(("n1", Known)).Tiles);
        Assert.Empty(Of(("n1", Known)).Doubts());
        Assert.Empty(Of(("n1", Known), ("n2", Known)).Doubts());
    }

    private static TileLists Of(params (string Name, TileId[] Tiles)[] told) =>
        new([.. told.Select(one => (one.Name, one.Tiles.ToHashSet()))]);
}
