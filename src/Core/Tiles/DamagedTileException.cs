namespace ChordChat.Core.Tiles;

/// <summary>A row of the tile does not match its checksum, so that this node's copy of the tile must not be believed
/// any more.</summary>
public sealed class DamagedTileException(TileId tile) : Exception($"a row of tile {tile} is damaged")
{
    public TileId Tile => tile;
}
