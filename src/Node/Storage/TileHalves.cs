using ChordChat.Core.Tiles;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>Which half of a tile a row belongs to, for SQL too: a cut moves rows where they stand.</summary>
/// <remarks>docs/protocol.md#tile-split.</remarks>
internal static class TileHalves
{
    /// <summary>The SQL function (tile, name) that gives the number of the half.</summary>
    public const string Function = "tile_half";

    public static TileId Of(TileId tile, string name) =>
        tile.Second.Contains(RowName.PointOf(name)) ? tile.Second : tile.First;

    public static void AddTo(SqliteConnection connection) => connection.CreateFunction(
        Function, (long tile, string name) => Of(TileNumber.ToTile(tile), name).ToNumber(), isDeterministic: true);
}
