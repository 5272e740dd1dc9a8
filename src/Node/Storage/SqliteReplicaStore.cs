using System.Collections.Immutable;
using ChordChat.Core.Replication;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>A replica's rows in SQLite. Everything runs on the writer's thread, inside the writer's transaction.</summary>
/// <remarks>Set entries live in <see cref="EntryTable"/>; this class keeps headers and registers and puts pages together.
/// Every row carries a checksum. A damaged header or register ends the node; a damaged message is left out.</remarks>
internal sealed class SqliteReplicaStore : IReplicaStore, IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS tiles (tile INTEGER PRIMARY KEY, header BLOB NOT NULL, crc INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS registers (
            tile INTEGER NOT NULL, key TEXT NOT NULL, promised BLOB NOT NULL, accepted BLOB NOT NULL,
            value BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (tile, key)) WITHOUT ROWID;
        """;

    private readonly EntryTable _entries;
    private readonly Dictionary<TileId, long> _registerCounts = [];
    private readonly Statement _allHeaders;
    private readonly Statement _putHeader;
    private readonly Statement _getRegister;
    private readonly Statement _putRegister;
    private readonly Statement _registersAfter;
    private readonly Statement _dropRegisters;
    private bool _isMissing;

    public SqliteReplicaStore(SqliteConnection connection, Action<string> damaged)
    {
        using (var create = connection.CreateCommand())
        {
            create.CommandText = Schema;
            create.ExecuteNonQuery();
        }

        _entries = new EntryTable(connection, damaged);
        _allHeaders = new(connection, "SELECT tile, header, crc FROM tiles", 0);
        _putHeader = new(connection, "INSERT OR REPLACE INTO tiles (tile, header, crc) VALUES (?1, ?2, ?3)", 3);
        _getRegister = new(
            connection, "SELECT promised, accepted, value, crc FROM registers WHERE tile = ?1 AND key = ?2", 2);
        _putRegister = new(connection, """
            INSERT OR REPLACE INTO registers (tile, key, promised, accepted, value, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """, 6);
        _registersAfter = new(connection, """
            SELECT key, promised, accepted, value, crc FROM registers
            WHERE tile = ?1 AND key > ?2 AND accepted <> x'' ORDER BY key
            """, 2);
        _dropRegisters = new(connection, "DELETE FROM registers WHERE tile = ?1", 1);
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

    /// <summary>Live messages of a set, or 0. May be asked from any thread.</summary>
    public long PendingCount(TileId tile, string set) => _entries.PendingCount(tile, set);

    public IEnumerable<TileHeader> Headers()
    {
        using var rows = _allHeaders.Read();
        var headers = new List<TileHeader>();
        while (rows.Read())
        {
            var bytes = (byte[])rows[1];
            headers.Add(new RowChecksum().With(bytes).Value == rows.GetInt64(2)
                ? HeaderFormat.Read(bytes)
                : throw new DamagedRowException($"tiles/{rows.GetInt64(0):x}"));
        }

        return headers;
    }

    public void PutHeader(TileHeader header)
    {
        var bytes = HeaderFormat.Write(header);
        _putHeader.Run(header.Tile.ToNumber(), bytes, new RowChecksum().With(bytes).Value);
    }

    public RegisterRow GetRegister(TileId tile, string key)
    {
        using var rows = _getRegister.Read(tile.ToNumber(), key);
        _isMissing = !rows.Read();
        return _isMissing ? default : ReadRegister(rows, 0, key);
    }

    /// <remarks>Always follows the <see cref="GetRegister"/> of the same key.</remarks>
    public void PutRegister(TileId tile, string key, RegisterRow row)
    {
        if (_isMissing)
            _registerCounts[tile] = _registerCounts.GetValueOrDefault(tile) + 1;
        _isMissing = false;
        var (promised, accepted) = (HeaderFormat.Write(row.Promised), HeaderFormat.Write(row.AcceptedBallot));
        _putRegister.Run(
            tile.ToNumber(), key, promised, accepted, row.Value.ToWholeArray(), CrcOf(key, promised, accepted, row.Value.Span));
    }

    public SetInsert Insert(TileId tile, string set, SetMessage message, long nowMs, SetLimits limits) =>
        _entries.Insert(tile, set, message, nowMs, limits);

    public void Bury(TileId tile, string set, MessageId id, long nowMs) => _entries.Bury(tile, set, id, nowMs);

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
                var row = ReadRegister(rows, 1, key);
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

    public void DropRows(TileId tile)
    {
        _dropRegisters.Run(tile.ToNumber());
        _registerCounts.Remove(tile);
        _entries.Drop(tile);
    }

    public void Dispose()
    {
        foreach (var used in (IDisposable[])
                 [_entries, _allHeaders, _putHeader, _getRegister, _putRegister, _registersAfter, _dropRegisters])
            used.Dispose();
    }

    private static RegisterRow ReadRegister(SqliteDataReader rows, int at, string key)
    {
        var (promised, accepted, value) = ((byte[])rows[at], (byte[])rows[at + 1], (byte[])rows[at + 2]);
        return CrcOf(key, promised, accepted, value) == rows.GetInt64(at + 3)
            ? new(HeaderFormat.ReadBallot(promised), HeaderFormat.ReadBallot(accepted), value)
            : throw new DamagedRowException($"registers/{key}");
    }

    private static long CrcOf(string key, byte[] promised, byte[] accepted, ReadOnlySpan<byte> value) =>
        new RowChecksum().With(key).With(promised).With(accepted).With(value).Value;
}
