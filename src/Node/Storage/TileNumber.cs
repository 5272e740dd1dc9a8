using ChordChat.Core.Tiles;

namespace ChordChat.Node.Storage;

/// <summary>A tile as one integer column: bits above, prefix below.</summary>
internal static class TileNumber
{
    public static long ToNumber(this TileId tile) => ((long)tile.Bits << 32) | tile.Prefix;

    public static TileId ToTile(long number) => new((int)(number >> 32), (uint)number);
}
