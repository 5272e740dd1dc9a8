using ChordChat.Core.Tiles;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>The sets by number; also those that were dropped, until scrub has read all entries once more.</summary>
/// <remarks>The entries of a set are deleted as the index names them. One that a damaged index does not name is left
/// over; as long as the number of its set is known, and given to no other, scrub can tell that it may go.</remarks>
internal sealed class SetTable : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS sets (
            number INTEGER PRIMARY KEY, tile INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (tile, name));
        CREATE TABLE IF NOT EXISTS dropped_sets (
            number INTEGER PRIMARY KEY, name TEXT NOT NULL, before_scrub INTEGER NOT NULL DEFAULT 0);
        """;

    private readonly Statement _make;
    private readonly Statement _namesFrom;
    private readonly Statement _split;
    private readonly Statement _keepDropped;
    private readonly Statement _drop;
    private readonly Statement _findDropped;
    private readonly Statement _beginScrub;
    private readonly Statement _endScrub;

    public SetTable(SqliteConnection connection)
    {
        using (var create = connection.CreateCommand())
        {
            create.CommandText = Schema;
            create.ExecuteNonQuery();
        }

        _make = new(connection, """
            INSERT INTO sets (number, tile, name) VALUES (1 + MAX(
                COALESCE((SELECT MAX(number) FROM sets), 0),
                COALESCE((SELECT MAX(number) FROM dropped_sets), 0)), ?1, ?2)
            RETURNING number
            """, 2);
        _namesFrom = new(connection, "SELECT name FROM sets WHERE tile = ?1 AND name >= ?2 ORDER BY name", 2);
        _split = new(connection, $"UPDATE sets SET tile = {TileHalves.Function}(tile, name) WHERE tile = ?1", 1);
        _keepDropped = new(connection,
            "INSERT INTO dropped_sets (number, name) SELECT number, name FROM sets WHERE tile = ?1", 1);
        _drop = new(connection, "DELETE FROM sets WHERE tile = ?1", 1);
        _findDropped = new(connection, "SELECT name FROM dropped_sets WHERE number = ?1", 1);
        _beginScrub = new(connection, "UPDATE dropped_sets SET before_scrub = 1", 0);
        _endScrub = new(connection, "DELETE FROM dropped_sets WHERE before_scrub = 1", 0);
    }

    /// <summary>Gives a new set a number that no entry carries.</summary>
    public long Make(TileId tile, string name)
    {
        using var made = _make.Read(tile.ToNumber(), name);
        made.Read();
        return made.GetInt64(0);
    }

    /// <summary>Names of a tile's sets in order, beginning with this one.</summary>
    public List<string> NamesFrom(TileId tile, string name)
    {
        using var rows = _namesFrom.Read(tile.ToNumber(), name);
        var names = new List<string>();
        while (rows.Read())
            names.Add(rows.GetString(0));
        return names;
    }

    /// <summary>The sets move to the tile's halves.</summary>
    public void Split(TileId tile) => _split.Run(tile.ToNumber());

    /// <summary>The entries of a tile have been deleted.</summary>
    public void Drop(TileId tile)
    {
        _keepDropped.Run(tile.ToNumber());
        _drop.Run(tile.ToNumber());
    }

    /// <summary>The name of a set that was dropped, or null.</summary>
    public string? FindDropped(long number)
    {
        using var rows = _findDropped.Read(number);
        return rows.Read() ? rows.GetString(0) : null;
    }

    /// <summary>All entries are going to be read, from the first on.</summary>
    public void BeginScrub() => _beginScrub.Run();

    /// <summary>All entries have been read: nothing is left of the sets that were dropped before.</summary>
    public void EndScrub() => _endScrub.Run();

    public void Dispose()
    {
        foreach (var statement in (Statement[])
                 [_make, _namesFrom, _split, _keepDropped, _drop, _findDropped, _beginScrub, _endScrub])
            statement.Dispose();
    }
}
