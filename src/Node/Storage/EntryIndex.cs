using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChordChat.Core.Tiles;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>Where the entries of each set are: all of them by id, the live ones by arrival.</summary>
/// <remarks>
/// Written behind, as the levels of a log-structured merge tree are. An entry that has just arrived belongs anywhere in
/// the order of ids, and a page written for each of them would be seven eighths of what a node writes. So new entries
/// are found through memory until there are <see cref="RecentMax"/>; then they are merged into the tables in order,
/// many to a page. Which ones are not merged yet can be told from their arrivals: after a crash they are merged first.
/// </remarks>
internal sealed class EntryIndex : IDisposable
{
    /// <summary>Entries that wait in memory; a merge of so many stops the writer for some milliseconds.</summary>
    private const int RecentMax = 4096;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS entry_ids (
            set_number INTEGER NOT NULL, id BLOB NOT NULL, arrival INTEGER NOT NULL,
            PRIMARY KEY (set_number, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS entries_live (
            set_number INTEGER NOT NULL, arrival INTEGER NOT NULL, PRIMARY KEY (set_number, arrival)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS merged (one INTEGER PRIMARY KEY CHECK (one = 1), arrival INTEGER NOT NULL);
        INSERT OR IGNORE INTO merged VALUES (1, 0);
        """;

    private readonly Dictionary<(long Set, MessageId Id), EntryPlace> _recent = [];
    private readonly Statement _mergeIds;
    private readonly Statement _mergeLive;
    private readonly Statement _setMerged;
    private readonly Statement _find;
    private readonly Statement _greatest;
    private readonly Statement _bury;
    private readonly Statement _forget;
    private readonly Statement _dropIds;
    private readonly Statement _dropLive;

    /// <summary>After the table of entries has been made.</summary>
    public EntryIndex(SqliteConnection connection)
    {
        LastArrival = LastArrivalIn(connection);
        using (var merged = connection.CreateCommand())
        {
            merged.CommandText = "SELECT arrival FROM merged";
            Merged = (long)merged.ExecuteScalar()!;
        }

        _mergeIds = new(connection, """
            INSERT OR REPLACE INTO entry_ids (set_number, id, arrival)
            SELECT set_number, id, arrival FROM entries WHERE arrival > ?1 ORDER BY set_number, id
            """, 1);
        _mergeLive = new(connection, """
            INSERT OR REPLACE INTO entries_live (set_number, arrival)
            SELECT set_number, arrival FROM entries WHERE arrival > ?1 AND content IS NOT NULL
            ORDER BY set_number, arrival
            """, 1);
        _setMerged = new(connection, "UPDATE merged SET arrival = ?1", 1);
        _find = new(connection, """
            SELECT ids.arrival, entries.arrival, LENGTH(content) FROM entry_ids AS ids
            LEFT JOIN entries
                ON entries.arrival = ids.arrival AND entries.set_number = ids.set_number AND entries.id = ids.id
            WHERE ids.set_number = ?1 AND ids.id = ?2
            """, 2);
        _greatest = new(connection, """
            SELECT id FROM entry_ids WHERE set_number = ?1 AND id > x'' AND LENGTH(id) = 16 ORDER BY id DESC LIMIT 1
            """, 1);
        _bury = new(connection, "DELETE FROM entries_live WHERE set_number = ?1 AND arrival = ?2", 2);
        _forget = new(connection, "DELETE FROM entry_ids WHERE set_number = ?1 AND id = ?2", 2);
        const string Sets = "set_number IN (SELECT number FROM sets WHERE tile = ?1)";
        _dropIds = new(connection, $"DELETE FROM entry_ids WHERE {Sets}", 1);
        _dropLive = new(connection, $"DELETE FROM entries_live WHERE {Sets}", 1);
        if (LastArrival > Merged)
            MergeAtStart(connection);
    }

    /// <summary>The largest arrival ever given out. A deleted entry's is never given out again, since readers keep
    /// cursors: nothing is deleted that has not been merged, and up to where was merged is kept.</summary>
    public long LastArrival { get; private set; }

    /// <summary>The last arrival that the tables know.</summary>
    public long Merged { get; private set; }

    /// <summary><see cref="LastArrival"/> as the tables tell it; after the table of entries has been made.</summary>
    public static long LastArrivalIn(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Schema;
        command.ExecuteNonQuery();
        command.CommandText = "SELECT MAX(COALESCE(MAX(arrival), 0), (SELECT arrival FROM merged)) FROM entries";
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Where an entry is, or null when there is none; <see cref="EntryPlace.Lost"/> when the tables name one
    /// that is not there, which only a damaged disk can bring about.</summary>
    public EntryPlace? Find(long set, MessageId id)
    {
        if (_recent.TryGetValue((set, id), out var recent))
            return recent;
        using var rows = _find.Read(set, id.ToBytes());
        if (!rows.Read())
            return null;
        return rows.IsDBNull(1)
            ? EntryPlace.Lost
            : new(rows.GetInt64(0), rows.IsDBNull(2) ? null : rows.GetInt64(2));
    }

    /// <summary>The largest id of a set, or null when it is empty; merged before.</summary>
    public MessageId? Greatest(long set)
    {
        using var rows = _greatest.Read(set);
        return rows.Read() ? MessageId.FromBytes((byte[])rows[0]) : null;
    }

    /// <summary>The entry with the next arrival has been written.</summary>
    /// <param name="length">Of its content, or null for a tombstone.</param>
    public void Added(long set, MessageId id, long? length)
    {
        _recent.Add((set, id), new(++LastArrival, length));
        if (_recent.Count >= RecentMax)
            Merge();
    }

    /// <summary>The content of an entry has been deleted.</summary>
    public void Buried(long set, MessageId id, long arrival)
    {
        ref var recent = ref CollectionsMarshal.GetValueRefOrNullRef(_recent, (set, id));
        if (Unsafe.IsNullRef(ref recent))
            _bury.Run(set, arrival);
        else
            recent = recent with { Length = null };
    }

    /// <summary>Brings the tables up to date; before every reading of them but <see cref="Find"/>.</summary>
    public void Merge()
    {
        if (Merged == LastArrival)
            return;
        _mergeIds.Run(Merged);
        _mergeLive.Run(Merged);
        _setMerged.Run(LastArrival);
        Merged = LastArrival;
        _recent.Clear();
    }

    /// <summary>An entry is about to be deleted; merged before.</summary>
    public void Forget(long set, MessageId id) => _forget.Run(set, id.ToBytes());

    /// <summary>All entries of a tile have been deleted, its sets not yet; merged before.</summary>
    public void Drop(long tile)
    {
        _dropLive.Run(tile);
        _dropIds.Run(tile);
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])
                 [_mergeIds, _mergeLive, _setMerged, _find, _greatest, _bury, _forget, _dropIds, _dropLive])
            statement.Dispose();
    }

    private void MergeAtStart(SqliteConnection connection)
    {
        using var begin = new Statement(connection, "BEGIN", 0);
        using var commit = new Statement(connection, "COMMIT", 0);
        begin.Run();
        Merge();
        commit.Run();
    }
}
