using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>bench/README.md, "change": how long copies answer nothing.</summary>
public sealed class TilePausesTests
{
    private static readonly TileId Tile = new(7, 5);
    private readonly ManualTime _time = new();
    private readonly TilePauses _pauses;

    public TilePausesTests() => _pauses = new(_time);

    [Fact]
    public void A_change_pauses_from_its_seal_until_the_copy_is_active_again()
    {
        Hear(Tile, TilePhase.Sealed);
        _time.Now += TimeSpan.FromMilliseconds(30);
        Hear(Tile, TilePhase.Sealed);
        _time.Now += TimeSpan.FromMilliseconds(10);
        Hear(Tile, TilePhase.Active);
        Assert.Empty(_pauses.TakeBurst());

        _time.Now += TimeSpan.FromMilliseconds(3_000);
        Assert.Equal([TimeSpan.FromMilliseconds(40)], _pauses.TakeBurst());
        Assert.Empty(_pauses.TakeBurst());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_halves_of_a_tile_pause_since_it_was_sealed_itself(bool goesFirst)
    {
        Hear(Tile, TilePhase.Sealed);
        _time.Now += TimeSpan.FromMilliseconds(30);
        if (goesFirst)
            Hear(Tile, TilePhase.Retired);
        Hear(Tile.First, TilePhase.Sealed);
        Hear(Tile.Second, TilePhase.Sealed);
        if (!goesFirst)
            Hear(Tile, TilePhase.Retired);
        _time.Now += TimeSpan.FromMilliseconds(10);
        Hear(Tile.First, TilePhase.Active);
        _time.Now += TimeSpan.FromMilliseconds(10);
        Hear(Tile.Second, TilePhase.Active);

        _time.Now += TimeSpan.FromMilliseconds(3_000);
        Assert.Equal([TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(50)], _pauses.TakeBurst());
    }

    private void Hear(TileId tile, TilePhase phase) =>
        _pauses.Hear(new(new(tile, 0, 1, ImmutableArray.Create(new NodeId(1, 1))), phase));
}
