using System.Collections.Concurrent;
using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>The messages and tombstones of all sets at this replica, in order of arrival.</summary>
/// <remarks>A tombstone is a row whose content is null. The row number is the arrival: it only grows, so that new rows
/// fill one page after the other. Everything else is found through <see cref="EntryIndex"/>.</remarks>
internal sealed class EntryTable : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS entries (
            arrival INTEGER PRIMARY KEY, set_number INTEGER NOT NULL, id BLOB NOT NULL,
            since INTEGER NOT NULL, content BLOB, crc INTEGER NOT NULL);
        """;

    /// <summary>A message of a set that was not measured: about what a short one takes, sealed.</summary>
    private const long GuessedBytes = 1024;

    private readonly ConcurrentDictionary<(TileId, string), SetRow> _sets = [];
    private readonly Dictionary<TileId, long> _records = [];
    private readonly Action<DamagedRow> _damaged;
    private readonly SetTable _setTable;
    private readonly EntryIndex _index;
    private readonly Statement _measure;
    private readonly Statement _insert;
    private readonly Statement _bury;
    private readonly Statement _scan;
    private readonly Statement _entriesAfter;
    private readonly Statement _stamps;
    private readonly Statement _forget;
    private readonly Statement _get;
    private readonly Statement _check;
    private readonly Statement _dropEntries;

    public EntryTable(SqliteConnection connection, Action<DamagedRow> damaged)
    {
        _damaged = damaged;
        Create(connection);
        _setTable = new SetTable(connection);
        _index = new EntryIndex(connection);
        _measure = new(connection, """
            SELECT COALESCE(SUM(LENGTH(content)), 0), (SELECT COUNT(*) FROM entry_ids WHERE set_number = ?1)
            FROM entries_live AS live JOIN entries USING (arrival) WHERE live.set_number = ?1
            """, 1);
        _insert = new(connection,
            "INSERT INTO entries (arrival, set_number, id, since, content, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", 6);
        _bury = new(connection, "UPDATE entries SET content = NULL, since = ?2, crc = ?3 WHERE arrival = ?1", 3);
        _scan = new(connection, """
            SELECT live.arrival, id, content, crc, since FROM entries_live AS live LEFT JOIN entries USING (arrival)
            WHERE live.set_number = ?1 AND live.arrival > ?2 ORDER BY live.arrival LIMIT ?3
            """, 3);
        const string ById = """
            FROM entry_ids AS ids LEFT JOIN entries USING (arrival)
            WHERE ids.set_number = ?1 AND ids.id > ?2 ORDER BY ids.id
            """;
        _entriesAfter = new(connection, $"SELECT ids.id, since, content, crc {ById}", 2);
        _stamps = new(connection, $"SELECT ids.id, content IS NULL, since {ById} LIMIT ?3", 3);
        _get = new(connection, "SELECT since, content, crc FROM entries WHERE arrival = ?1", 1);
        _forget = new(connection, "DELETE FROM entries WHERE arrival = ?1", 1);
        _check = new(connection, """
            SELECT arrival, set_number, id, since, content, crc,
                arrival = (SELECT ids.arrival FROM entry_ids AS ids
                    WHERE ids.set_number = entries.set_number AND ids.id = entries.id)
                AND (content IS NOT NULL) = EXISTS (SELECT 1 FROM entries_live AS live
                    WHERE live.set_number = entries.set_number AND live.arrival = entries.arrival)
            FROM entries WHERE arrival > ?1 ORDER BY arrival LIMIT ?2
            """, 2);
        _dropEntries = new(connection, """
            DELETE FROM entries WHERE arrival IN (
                SELECT arrival FROM entry_ids WHERE set_number IN (SELECT number FROM sets WHERE tile = ?1))
            """, 1);
        Count(connection);
    }

    /// <summary>The largest arrival ever given out; it grows with every entry that comes.</summary>
    public long LastArrival => _index.LastArrival;

    /// <summary>The same, of a database that is not in use yet.</summary>
    public static long LastArrivalIn(SqliteConnection connection)
    {
        Create(connection);
        return EntryIndex.LastArrivalIn(connection);
    }

    public SetInsert Insert(TileId tile, string set, SetMessage message, long nowMs, SetLimits limits)
    {
        if (limits == SetLimits.Nothing && !_sets.ContainsKey((tile, set)))
            return new(SetInsertResult.Full, 0); // What is refused makes no set.
        var row = SetOf(tile, set);
        if (Find(tile, set, row, message.Id) is { } there)
            return there.Length is null ? new(SetInsertResult.Buried, 0) : new(SetInsertResult.Present, there.Arrival);
        if (!row.HasRoom(
            message.Content.Span, nowMs, limits, after => Scan(tile, set, after, rowsMax: 512, bytesMax: 4 << 20)))
            return new(SetInsertResult.Full, 0);
        Append(set, row, message.Id, nowMs, message.Content.ToWholeArray());
        row.Added(message.Content.Span);
        Count(tile, 1);
        return new(SetInsertResult.Added, _index.LastArrival);
    }

    public SetBurial Bury(TileId tile, string set, MessageId id, long nowMs)
    {
        var row = SetOf(tile, set);
        switch (Find(tile, set, row, id))
        {
            case null:
                Append(set, row, id, nowMs, content: null);
                row.Buried(length: null);
                return SetBurial.Absence;
            case { Length: { } length, Arrival: var arrival }:
                var content = row.HasShares ? ContentOf(arrival) : [];
                _bury.Run(arrival, nowMs, CrcOf(set, id.ToBytes(), nowMs, default));
                _index.Buried(row.Number, id, arrival);
                row.Buried(length, content);
                Count(tile, -1);
                return SetBurial.Message;
            default:
                return SetBurial.Nothing;
        }
    }

    private byte[] ContentOf(long arrival)
    {
        using var rows = _get.Read(arrival);
        return rows.Read() && rows[1] is byte[] content ? content : [];
    }

    public ReplicaReply.Scanned Scan(TileId tile, string set, long after, int rowsMax, int bytesMax)
    {
        if (!_sets.TryGetValue((tile, set), out var found))
            return new([], after, More: false);
        var messages = ImmutableArray.CreateBuilder<SetMessage>();
        var (next, bytes, more) = (after, 0, false);
        _index.Merge();
        using var rows = _scan.Read(found.Number, after, rowsMax + 1L);
        while (!more && rows.Read())
        {
            more = messages.Count == rowsMax || bytes >= bytesMax;
            if (more)
                break;
            next = rows.GetInt64(0);
            if (rows[1] is not byte[] id || rows[2] is not byte[] content
                || CrcOf(set, id, rows.GetInt64(4), content) != rows.GetInt64(3))
                throw Damaged(tile, set);
            messages.Add(new(MessageId.FromBytes(id), content));
            bytes += content.Length;
        }

        return new(messages.ToImmutable(), next, more);
    }

    /// <summary>Entries by (set, id) after the cursor, and where to go on, or null.</summary>
    public (ImmutableArray<TransferredEntry> Entries, TileCursor? Next) ReadPage(
        TileId tile, TileCursor after, int bytesMax)
    {
        var entries = ImmutableArray.CreateBuilder<TransferredEntry>();
        var bytes = 0;
        _index.Merge();
        foreach (var set in _setTable.NamesFrom(tile, after.Name ?? ""))
        {
            var start = set == after.Name ? after.Id.ToBytes() : [];
            using var rows = _entriesAfter.Read(SetOf(tile, set).Number, start);
            while (rows.Read())
            {
                var id = (byte[])rows[0];
                var content = rows.IsDBNull(2) ? null : (byte[])rows[2];
                if (rows.IsDBNull(1) || CrcOf(set, id, rows.GetInt64(1), content) != rows.GetInt64(3))
                    throw Damaged(tile, set);

                // Spelt out: a null array turned into memory would be an empty message instead of a tombstone.
                var kept = content is null ? (ReadOnlyMemory<byte>?)null : content;
                entries.Add(new(set, MessageId.FromBytes(id), kept, rows.GetInt64(1)));
                bytes += (content?.Length ?? 0) + 64;
                if (bytes >= bytesMax)
                    return (entries.ToImmutable(), new(Entries: true, set, MessageId.FromBytes(id)));
            }
        }

        return (entries.ToImmutable(), null);
    }

    /// <summary>Up to so many entries by (set, id) after the cursor, with their times and without their
    /// contents.</summary>
    public List<EntryStamp> ReadStamps(TileId tile, TileCursor after, int count)
    {
        var stamps = new List<EntryStamp>();
        _index.Merge();
        foreach (var set in _setTable.NamesFrom(tile, after.Name ?? ""))
        {
            using var rows = _stamps.Read(
                SetOf(tile, set).Number, set == after.Name ? after.Id.ToBytes() : [], (long)(count - stamps.Count));
            while (rows.Read())
                stamps.Add(rows[0] is byte[] { Length: 16 } id && !rows.IsDBNull(2)
                    ? new(set, MessageId.FromBytes(id), rows.GetInt64(1) != 0, rows.GetInt64(2))
                    : throw Damaged(tile, set));
            if (stamps.Count >= count)
                break;
        }

        return stamps;
    }

    /// <summary>Deletes a tombstone; a message stays.</summary>
    public bool Forget(TileId tile, string set, MessageId id)
    {
        if (!_sets.ContainsKey((tile, set)))
            return false;
        var row = SetOf(tile, set);
        if (Find(tile, set, row, id) is not { Length: null, Arrival: var arrival })
            return false;
        _index.Merge();
        _index.Forget(row.Number, id);
        _forget.Run(arrival);
        row.Forgot();
        return true;
    }

    public TransferredEntry? Get(TileId tile, string set, MessageId id)
    {
        if (!_sets.ContainsKey((tile, set)) || Find(tile, set, SetOf(tile, set), id) is not { Arrival: var arrival })
            return null;
        using var rows = _get.Read(arrival);
        if (!rows.Read())
            throw Damaged(tile, set);
        var content = rows.IsDBNull(1) ? null : (byte[])rows[1];
        if (CrcOf(set, id.ToBytes(), rows.GetInt64(0), content) != rows.GetInt64(2))
            throw Damaged(tile, set);
        return new(set, id, content is null ? (ReadOnlyMemory<byte>?)null : content, rows.GetInt64(0));
    }

    /// <summary>Reads rows again as they stand in the table, after an arrival, and compares their checksums.</summary>
    /// <remarks>Those that are merged into the index are looked up there too. Those of a set that was dropped are
    /// deleted: docs/protocol.md#scrub.</remarks>
    /// <returns>The last arrival that was read, or null after the last row; and the tiles with damage.</returns>
    /// <exception cref="DamagedRowException">A damaged row does not even say to which tile it belongs.</exception>
    public (long? Next, HashSet<TileId> Damaged) Check(long after, int count)
    {
        if (after == 0)
            _setTable.BeginScrub();
        var names = _sets.ToDictionary(set => set.Value.Number, set => set.Key);
        var (damaged, leftOver) = (new HashSet<TileId>(), new List<long>());
        var (last, read) = (after, 0);
        using (var rows = _check.Read(after, (long)count))
        {
            for (; rows.Read(); read++)
            {
                last = rows.GetInt64(0);
                if (!names.TryGetValue(rows.GetInt64(1), out var set))
                    leftOver.Add(IsLeftOver(rows) ? last : throw new DamagedRowException("entries of no tile"));
                else if (!(IsSound(rows, set.Item2) && (last > _index.Merged || rows[6] is 1L))
                    && damaged.Add(set.Item1))
                    _damaged(DamagedRow.Of("entries", set.Item1, set.Item2));
            }
        }

        foreach (var arrival in leftOver)
            _forget.Run(arrival);
        if (read < count)
            _setTable.EndScrub();
        return (read == count ? last : null, damaged);
    }

    /// <summary>The sets move to the tile's halves; their entries stay where they are.</summary>
    public void Split(TileId tile)
    {
        _setTable.Split(tile);
        _records.Remove(tile);
        foreach (var (key, row) in _sets.Where(set => set.Key.Item1 == tile).ToList())
        {
            var half = TileHalves.Of(tile, key.Item2);
            _sets[(half, key.Item2)] = row;
            _sets.TryRemove(key, out _);
            Count(half, row.Count);
        }
    }

    public void Drop(TileId tile)
    {
        _index.Merge();
        _dropEntries.Run(tile.ToNumber());
        _index.Drop(tile.ToNumber());
        _setTable.Drop(tile);
        foreach (var key in _sets.Keys.Where(key => key.Item1 == tile).ToList())
            _sets.TryRemove(key, out _);
        _records.Remove(tile);
    }

    /// <summary>Live messages by tile.</summary>
    public IEnumerable<KeyValuePair<TileId, long>> CountMessages() => _records;

    /// <summary>About how many bytes each set holds: known for those written to since the start, guessed from the count
    /// for the others, so that nothing is read.</summary>
    public IEnumerable<(TileId Tile, string Set, long Bytes)> Sizes() => _sets.Select(set => (
        set.Key.Item1, set.Key.Item2, set.Value.Bytes >= 0 ? set.Value.Bytes : set.Value.Count * GuessedBytes));

    /// <summary>Live messages of a set, or 0. May be asked from any thread.</summary>
    public long PendingCount(TileId tile, string set) =>
        _sets.TryGetValue((tile, set), out var row) ? Interlocked.Read(ref row.Count) : 0;

    public void Dispose()
    {
        foreach (var statement in (Statement[])
                 [
                     _measure, _insert, _bury, _scan, _entriesAfter, _stamps, _forget, _get, _check, _dropEntries,
                 ])
            statement.Dispose();
        _setTable.Dispose();
        _index.Dispose();
    }

    private SetRow SetOf(TileId tile, string set)
    {
        if (!_sets.TryGetValue((tile, set), out var row))
        {
            row = new SetRow(_setTable.Make(tile, set));
            row.Measured(bytes: 0, entries: 0);
            _sets[(tile, set)] = row;
        }

        if (row.Bytes < 0)
        {
            using var measured = _measure.Read(row.Number);
            measured.Read();
            row.Measured(measured.GetInt64(0), measured.GetInt64(1));
            row.Greatest = _index.Greatest(row.Number);
        }

        return row;
    }

    /// <summary>Counts what is there, from the index alone; sizes are measured when a set is written to.</summary>
    private void Count(SqliteConnection connection)
    {
        using var count = new Statement(connection, """
            SELECT tile, name, number, COALESCE(n, 0) FROM sets LEFT JOIN (
                SELECT set_number, COUNT(*) AS n FROM entries_live GROUP BY set_number)
            ON set_number = number
            """, 0);
        using var rows = count.Read();
        while (rows.Read())
        {
            var (tile, live) = (TileNumber.ToTile(rows.GetInt64(0)), rows.GetInt64(3));
            _sets[(tile, rows.GetString(1))] = new SetRow(rows.GetInt64(2)) { Count = live };
            Count(tile, live);
        }
    }

    private static void Create(SqliteConnection connection)
    {
        using var create = connection.CreateCommand();
        create.CommandText = Schema;
        create.ExecuteNonQuery();
    }

    private void Count(TileId tile, long more) => _records[tile] = _records.GetValueOrDefault(tile) + more;

    /// <summary>Ids begin with the time, so that a new one is nearly always beyond all others, and nothing is
    /// searched.</summary>
    private EntryPlace? Find(TileId tile, string set, SetRow row, MessageId id) =>
        row.Greatest is { } greatest && id <= greatest && _index.Find(row.Number, id) is { } place
            ? place.IsLost ? throw Damaged(tile, set) : place
            : null;

    private void Append(string set, SetRow row, MessageId id, long nowMs, byte[]? content)
    {
        var bytes = id.ToBytes();
        _insert.Run(_index.LastArrival + 1, row.Number, bytes, nowMs, content, CrcOf(set, bytes, nowMs, content));
        _index.Added(row.Number, id, content?.Length);
        if (row.Greatest is not { } greatest || id > greatest)
            row.Greatest = id;
    }

    private DamagedTileException Damaged(TileId tile, string set)
    {
        _damaged(DamagedRow.Of("entries", tile, set));
        return new DamagedTileException(tile);
    }

    private bool IsLeftOver(SqliteDataReader rows) =>
        _setTable.FindDropped(rows.GetInt64(1)) is { } set && IsSound(rows, set);

    /// <param name="rows">At a row of <see cref="Check"/>.</param>
    /// <param name="set">Its name.</param>
    private static bool IsSound(SqliteDataReader rows, string set) =>
        rows[2] is byte[] id && rows[3] is long since && rows[4] is byte[] or DBNull && rows[5] is long crc
        && CrcOf(set, id, since, rows[4] as byte[]) == crc;

    /// <summary>Without the tile, which the name implies: cutting a tile leaves the entries untouched.</summary>
    private static long CrcOf(string set, byte[] id, long since, ReadOnlySpan<byte> content) =>
        new RowChecksum().With(set).With(id).With(since).With(content).Value;
}
