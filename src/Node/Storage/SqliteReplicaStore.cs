using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>A replica's rows in SQLite. Everything runs on the writer's thread, inside the writer's
/// transaction.</summary>
/// <remarks>Set entries live in <see cref="EntryTable"/>; this class keeps headers and registers and puts pages
/// together. Every row carries a checksum (docs/protocol.md#scrub). A header stands twice in its row, so that a damaged
/// one is read from its spare; when both are damaged the node ends. Any other damaged row makes its tile
/// distrusted.</remarks>
internal sealed class SqliteReplicaStore : IReplicaStore, IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS tiles (
            tile INTEGER PRIMARY KEY, header BLOB NOT NULL, crc INTEGER NOT NULL, spare BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS registers (
            tile INTEGER NOT NULL, key TEXT NOT NULL, promised BLOB NOT NULL, accepted BLOB NOT NULL,
            value BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (tile, key)) WITHOUT ROWID;
        """;

    /// <summary>The SQL function (new tile, tile, key, promised, accepted, value, crc) that gives the new
    /// checksum.</summary>
    private const string CrcInHalf = "crc_in_half";

    private const long GuessedRegisterBytes = 512;

    private readonly Action<DamagedRow> _damaged;
    private readonly EntryTable _entries;
    private readonly Dictionary<TileId, long> _registerCounts = [];
    private readonly Statement _allHeaders;
    private readonly Statement _putHeader;
    private readonly Statement _getRegister;
    private readonly Statement _putRegister;
    private readonly Statement _addRegister;
    private readonly Statement _registersAfter;
    private readonly Statement _checkRegisters;
    private readonly Statement _dropRegisters;
    private readonly Statement _splitRegisters;
    private readonly Statement _countRegisters;

    public SqliteReplicaStore(SqliteConnection connection, Action<DamagedRow> damaged)
    {
        using (var create = connection.CreateCommand())
        {
            create.CommandText = Schema;
            create.ExecuteNonQuery();
        }

        _damaged = damaged;
        TileHalves.AddTo(connection);
        connection.CreateFunction<long>(CrcInHalf, row => CrcIn(row), isDeterministic: true);
        _entries = new EntryTable(connection, damaged);
        _allHeaders = new(connection, "SELECT tile, header, crc, spare FROM tiles", 0);
        _putHeader = new(connection,
            "INSERT OR REPLACE INTO tiles (tile, header, crc, spare) VALUES (?1, ?2, ?3, ?2)", 3);
        _getRegister = new(
            connection, "SELECT promised, accepted, value, crc FROM registers WHERE tile = ?1 AND key = ?2", 2);
        _putRegister = new(connection, """
            UPDATE registers SET promised = ?3, accepted = ?4, value = ?5, crc = ?6 WHERE tile = ?1 AND key = ?2
            """, 6);
        _addRegister = new(connection, """
            INSERT INTO registers (tile, key, promised, accepted, value, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """, 6);
        _registersAfter = new(connection, """
            SELECT key, promised, accepted, value, crc FROM registers
            WHERE tile = ?1 AND key > ?2 AND accepted <> x'' ORDER BY key
            """, 2);
        _checkRegisters = new(connection, """
            SELECT tile, key, promised, accepted, value, crc FROM registers
            WHERE (tile, key) > (?1, ?2) ORDER BY tile, key LIMIT ?3
            """, 3);
        _dropRegisters = new(connection, "DELETE FROM registers WHERE tile = ?1", 1);
        _splitRegisters = new(connection, $"""
            UPDATE registers SET tile = {TileHalves.Function}(tile, key), crc = {CrcInHalf}(
                {TileHalves.Function}(tile, key), tile, key, promised, accepted, value, crc) WHERE tile = ?1
            """, 1);
        _countRegisters = new(connection, "SELECT COUNT(*) FROM registers WHERE tile = ?1", 1);
        using var count = new Statement(connection, "SELECT tile, COUNT(*) FROM registers GROUP BY tile", 0);
        using var counts = count.Read();
        while (counts.Read())
            _registerCounts[TileNumber.ToTile(counts.GetInt64(0))] = counts.GetInt64(1);
    }

    /// <summary>How many registers and live messages each tile holds here.</summary>
    public IReadOnlyDictionary<TileId, long> CountRecords()
    {
        var counts = new Dictionary<TileId, long>(_registerCounts);
        foreach (var (tile, live) in _entries.CountMessages())
            counts[tile] = counts.GetValueOrDefault(tile) + live;
        return counts;
    }

    /// <summary>How many registers and live messages one tile holds here.</summary>
    public (long Registers, long Messages) CountRecords(TileId tile) => (
        _registerCounts.GetValueOrDefault(tile),
        _entries.CountMessages().FirstOrDefault(count => count.Key == tile).Value);

    /// <summary>The tiles that hold more than so many bytes, as far as can be told without reading rows, an eighth of
    /// it at least in the lighter half. The narrowest tiles have no halves.</summary>
    /// <remarks>docs/protocol.md#tile-split.</remarks>
    public IReadOnlySet<TileId> TilesAbove(long bytes)
    {
        var sizes = _registerCounts.ToDictionary(count => count.Key, count => count.Value * GuessedRegisterBytes);
        foreach (var (tile, _, size) in _entries.Sizes())
            sizes[tile] = sizes.GetValueOrDefault(tile) + size;
        var large = sizes.Where(size => size.Value > bytes && size.Key.Bits < TileId.BitsMax)
            .Select(size => size.Key).ToHashSet();
        if (large.Count == 0)
            return large;
        var halves = large.SelectMany(tile => new[] { tile.First, tile.Second })
            .ToDictionary(
                half => half, half => _registerCounts.GetValueOrDefault(half.Wider) * GuessedRegisterBytes / 2);
        foreach (var (tile, set, size) in _entries.Sizes().Where(size => large.Contains(size.Tile)))
            halves[TileHalves.Of(tile, set)] += size;
        large.RemoveWhere(tile => Math.Min(halves[tile.First], halves[tile.Second]) < bytes / 8);
        return large;
    }

    /// <summary>A number that grows with every entry that comes.</summary>
    public long LastArrival => _entries.LastArrival;

    /// <summary>Live messages of a set, or 0. May be asked from any thread.</summary>
    public long PendingCount(TileId tile, string set) => _entries.PendingCount(tile, set);

    /// <exception cref="DamagedRowException">A header and its spare are both damaged.</exception>
    public IEnumerable<TileHeader> Headers()
    {
        var (headers, damaged) = ReadHeaders();
        foreach (var header in damaged)
            PutHeader(header);
        return headers;
    }

    private (List<TileHeader> All, List<TileHeader> Damaged) ReadHeaders()
    {
        using var rows = _allHeaders.Read();
        var (headers, damaged) = (new List<TileHeader>(), new List<TileHeader>());
        while (rows.Read())
        {
            var (tile, crc) = (rows.GetInt64(0), rows.GetInt64(2));
            var (bytes, spare) = (rows[1] as byte[], rows[3] as byte[]);
            var (first, second) = (HeaderCrc(tile, bytes) == crc, HeaderCrc(tile, spare) == crc);
            var sound = first ? bytes : second ? spare : null;
            headers.Add(HeaderFormat.Read(sound ?? throw new DamagedRowException($"tiles/{tile:x}")));
            if (first && second)
                continue;
            damaged.Add(headers[^1]);
            _damaged(new("tiles", headers[^1].Tile, "header"));
        }

        return (headers, damaged);
    }

    public void PutHeader(TileHeader header)
    {
        var bytes = HeaderFormat.Write(header);
        var tile = header.Tile.ToNumber();
        _putHeader.Run(tile, bytes, HeaderCrc(tile, bytes));
    }

    public RegisterRow GetRegister(TileId tile, string key)
    {
        using var rows = _getRegister.Read(tile.ToNumber(), key);
        return rows.Read() ? ReadRegister(rows, 0, tile, key) : default;
    }

    public void PutRegister(TileId tile, string key, RegisterRow row)
    {
        var (promised, accepted) = (HeaderFormat.Write(row.Promised), HeaderFormat.Write(row.AcceptedBallot));
        ReadOnlySpan<object?> columns =
        [
            tile.ToNumber(), key, promised, accepted, row.Value.ToWholeArray(),
            CrcOf(tile.ToNumber(), key, promised, accepted, row.Value.Span),
        ];
        if (_putRegister.Run(columns) > 0)
            return;
        _addRegister.Run(columns);
        _registerCounts[tile] = _registerCounts.GetValueOrDefault(tile) + 1;
    }

    /// <summary>Reads rows again and compares their checksums: all headers (mended from their spares), then registers
    /// by key, then entries by arrival.</summary>
    /// <param name="count">Registers or entries to read at most.</param>
    /// <returns>Where to go on, or null after the last row; and the tiles whose rows are to be distrusted.</returns>
    /// <exception cref="DamagedRowException">Damage that no tile can be named for, or a header and its
    /// spare.</exception>
    public (ScrubCursor? Next, HashSet<TileId> Damaged) Check(ScrubCursor after, int count)
    {
        if (after == default)
            foreach (var header in ReadHeaders().Damaged)
                PutHeader(header);
        if (after.Arrival is { } arrival)
        {
            var (next, found) = _entries.Check(arrival, count);
            return (next is null ? null : after with { Arrival = next }, found);
        }

        var damaged = new HashSet<TileId>();
        var (last, read) = (after, 0);
        using var rows = _checkRegisters.Read(after.Tile, after.Key ?? "", (long)count);
        for (; rows.Read(); read++)
        {
            last = new(rows.GetInt64(0), rows.GetString(1), null);
            if (IsSound(rows, 2, last.Tile, last.Key!))
                continue;
            if (!_registerCounts.ContainsKey(TileNumber.ToTile(last.Tile)))
                throw new DamagedRowException("registers of no tile");
            if (damaged.Add(TileNumber.ToTile(last.Tile)))
                _damaged(DamagedRow.Of("registers", TileNumber.ToTile(last.Tile), last.Key!));
        }

        return (read == count ? last : new(0, null, Arrival: 0), damaged);
    }

    public SetInsert Insert(TileId tile, string set, SetMessage message, long nowMs, SetLimits limits) =>
        _entries.Insert(tile, set, message, nowMs, limits);

    public SetBurial Bury(TileId tile, string set, MessageId id, long nowMs) =>
        _entries.Bury(tile, set, id, nowMs);

    public ReplicaReply.Scanned Scan(TileId tile, string set, long after, int rowsMax, int bytesMax) =>
        _entries.Scan(tile, set, after, rowsMax, bytesMax);

    public TilePage ReadPage(TileId tile, TileCursor after, int bytesMax)
    {
        var registers = ImmutableArray.CreateBuilder<TransferredRegister>();
        var bytes = 0;
        if (!after.Entries)
        {
            using var rows = _registersAfter.Read(tile.ToNumber(), after.Name ?? "");
            while (rows.Read())
            {
                var key = rows.GetString(0);
                var row = ReadRegister(rows, 1, tile, key);
                registers.Add(new(key, row.AcceptedBallot, row.Value));
                bytes += row.Value.Length + 128;
                if (bytes >= bytesMax)
                    return new(registers.ToImmutable(), [], new(Entries: false, key, default));
            }
        }

        var cursor = after.Entries ? after : new(Entries: true, null, default);
        var (entries, next) = _entries.ReadPage(tile, cursor, bytesMax - bytes);
        return new(registers.ToImmutable(), entries, next);
    }

    public IReadOnlyList<RowStamp> ReadStamps(TileId tile, TileCursor after, int count)
    {
        var stamps = new List<RowStamp>();
        if (!after.Entries)
        {
            using var rows = _registersAfter.Read(tile.ToNumber(), after.Name ?? "");
            while (stamps.Count < count && rows.Read())
            {
                var key = rows.GetString(0);
                stamps.Add(RowStamp.Register(key, ReadRegister(rows, 1, tile, key).AcceptedBallot));
            }
        }

        if (stamps.Count < count)
            stamps.AddRange(_entries
                .ReadStamps(tile, after.Entries ? after : new(Entries: true, null, default), count - stamps.Count)
                .Select(entry => RowStamp.Entry(entry.Set, entry.Id, entry.IsBuried)));
        return stamps;
    }

    public TransferredEntry? GetEntry(TileId tile, string set, MessageId id) => _entries.Get(tile, set, id);

    public void SplitRows(TileId tile)
    {
        _splitRegisters.Run(tile.ToNumber());
        _registerCounts.Remove(tile);
        foreach (var half in (ReadOnlySpan<TileId>)[tile.First, tile.Second])
        {
            using var count = _countRegisters.Read(half.ToNumber());
            count.Read();
            _registerCounts[half] = count.GetInt64(0);
        }

        _entries.Split(tile);
    }

    public IReadOnlyList<EntryStamp> ReadEntryStamps(TileId tile, TileCursor after, int count) =>
        _entries.ReadStamps(tile, after, count);

    public bool Forget(TileId tile, string set, MessageId id) => _entries.Forget(tile, set, id);

    public void DropRows(TileId tile)
    {
        _dropRegisters.Run(tile.ToNumber());
        _registerCounts.Remove(tile);
        _entries.Drop(tile);
    }

    public void Dispose()
    {
        foreach (var used in (IDisposable[])
                 [
                     _entries, _allHeaders, _putHeader, _getRegister, _putRegister, _addRegister, _registersAfter,
                     _checkRegisters, _dropRegisters, _splitRegisters, _countRegisters,
                 ])
            used.Dispose();
    }

    private RegisterRow ReadRegister(SqliteDataReader rows, int at, TileId tile, string key)
    {
        if (IsSound(rows, at, tile.ToNumber(), key))
            return new(
                HeaderFormat.ReadBallot((byte[])rows[at]), HeaderFormat.ReadBallot((byte[])rows[at + 1]),
                (byte[])rows[at + 2]);
        _damaged(DamagedRow.Of("registers", tile, key));
        throw new DamagedTileException(tile);
    }

    private static bool IsSound(SqliteDataReader rows, int at, long tile, string key) =>
        rows[at] is byte[] promised && rows[at + 1] is byte[] accepted && rows[at + 2] is byte[] value
        && rows[at + 3] is long crc && CrcOf(tile, key, promised, accepted, value) == crc;

    /// <summary>A row that was damaged before stays so.</summary>
    private static long CrcIn(object?[] row)
    {
        var was = row[6] as long? ?? 0;
        if (row is [long half, long tile, string key, byte[] promised, byte[] accepted, byte[] value, long]
            && CrcOf(tile, key, promised, accepted, value) == was)
            return CrcOf(half, key, promised, accepted, value);
        return row is [long to, _, string name, byte[] p, byte[] a, byte[] v, _] ? ~CrcOf(to, name, p, a, v) : was;
    }

    private static long HeaderCrc(long tile, byte[]? header) => new RowChecksum().With(tile).With(header).Value;

    private static long CrcOf(long tile, string key, byte[] promised, byte[] accepted, ReadOnlySpan<byte> value) =>
        new RowChecksum().With(tile).With(key).With(promised).With(accepted).With(value).Value;
}
