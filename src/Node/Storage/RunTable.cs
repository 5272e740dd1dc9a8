using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using ChordChat.Core.Tiles.Disks;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>The starts of this node and the commits of its database, counted in that database.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks. Opening it counts a start, durable when it returns. A commit
/// that brings entries is counted by their arrivals, which are in it anyway; any other by one row in the transaction
/// that is counted. A row of its own in every commit was a quarter of all pages that went to the log.</remarks>
internal sealed class RunTable : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS runs (
            incarnation INTEGER PRIMARY KEY, nonce INTEGER NOT NULL, found INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS commits (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL);
        INSERT OR IGNORE INTO commits VALUES (1, 0);
        """;

    private readonly SqliteConnection _connection;
    private readonly Statement _count;
    private readonly ImmutableArray<DiskRun> _runs;
    private int _changes;
    private long _counted;
    private long _lastArrival;
    private long _durable;

    /// <param name="lastArrival">The largest arrival that an entry in this database ever had.</param>
    public RunTable(SqliteConnection connection, long lastArrival)
    {
        _lastArrival = lastArrival;
        _connection = connection;
        using (var create = connection.CreateCommand())
        {
            create.CommandText = Schema;
            create.ExecuteNonQuery();
            create.CommandText = "SELECT count FROM commits";
            _counted = (long)create.ExecuteScalar()!;
            _durable = _counted + lastArrival;
        }

        _count = new(connection, "UPDATE commits SET count = ?1", 1);
        var before = Read(connection);
        var nonce = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var run = new DiskRun(before.IsEmpty ? 1 : before[^1].Incarnation + 1, nonce, (ulong)_durable);
        _runs = [.. before.Add(run).TakeLast(DiskHistory.RunsMax)];
        Insert(connection, run);
        _changes = SQLitePCL.raw.sqlite3_total_changes(connection.Handle);
    }

    /// <summary>This start; on disk before anybody hears of it.</summary>
    public DiskRun Now => _runs[^1];

    /// <summary>What this node tells of itself; any thread.</summary>
    public DiskHistory History => new(_runs, DurableSeq);

    /// <summary>Commits on the disk; any thread. Whatever has been answered rests on these.</summary>
    public ulong DurableSeq => (ulong)Volatile.Read(ref _durable);

    /// <summary>Last in every transaction: counts it if it has written anything.</summary>
    /// <param name="lastArrival">Larger than before if an entry has come.</param>
    public void CountIfChanged(long lastArrival)
    {
        var changes = SQLitePCL.raw.sqlite3_total_changes(_connection.Handle);
        if (changes == _changes)
            return;
        if (lastArrival == _lastArrival)
            _count.Run(++_counted);
        _lastArrival = lastArrival;
        _changes = SQLitePCL.raw.sqlite3_total_changes(_connection.Handle);
    }

    /// <summary>The transaction is on the disk; before its first answer.</summary>
    public void Committed() => Volatile.Write(ref _durable, _counted + _lastArrival);

    public void Dispose() => _count.Dispose();

    private static ImmutableArray<DiskRun> Read(SqliteConnection connection)
    {
        using var all = new Statement(connection, "SELECT incarnation, nonce, found FROM runs ORDER BY incarnation", 0);
        using var rows = all.Read();
        var runs = ImmutableArray.CreateBuilder<DiskRun>();
        while (rows.Read())
            runs.Add(new((ulong)rows.GetInt64(0), unchecked((ulong)rows.GetInt64(1)), (ulong)rows.GetInt64(2)));
        return runs.ToImmutable();
    }

    private static void Insert(SqliteConnection connection, DiskRun run)
    {
        using var insert = new Statement(
            connection, "INSERT INTO runs (incarnation, nonce, found) VALUES (?1, ?2, ?3)", 3);
        insert.Run((long)run.Incarnation, unchecked((long)run.BootNonce), (long)run.Found);
        using var forget = new Statement(connection, "DELETE FROM runs WHERE incarnation <= ?1", 1);
        forget.Run((long)run.Incarnation - DiskHistory.RunsMax);
    }
}
