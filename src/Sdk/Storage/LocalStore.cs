using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Storage;

/// <summary>The profile's SQLite file. Committed means on disk: a crash after it forgets nothing.</summary>
/// <remarks>
/// One connection and one lock (a leaf: no await, no call out while it is held). Several processes may have the same
/// profile open; each sees the others' writes through <see cref="ChangedElsewhere"/>.
/// </remarks>
public sealed class LocalStore : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS messages (
            id TEXT PRIMARY KEY, peer TEXT NOT NULL, mine INTEGER NOT NULL,
            epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sent_ms INTEGER NOT NULL,
            state INTEGER NOT NULL, rank REAL, unread INTEGER NOT NULL,
            copies TEXT NOT NULL DEFAULT '', copies_of INTEGER NOT NULL DEFAULT 0,
            missing INTEGER NOT NULL DEFAULT 0, owed INTEGER NOT NULL DEFAULT 0,
            note TEXT NOT NULL DEFAULT '', text BLOB NOT NULL,
            to_epoch INTEGER NOT NULL DEFAULT 0, heard INTEGER NOT NULL DEFAULT 0,
            place INTEGER NOT NULL DEFAULT 0, reachable TEXT, typed_ms INTEGER NOT NULL DEFAULT 0,
            late INTEGER NOT NULL DEFAULT 0, elsewhere INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS messages_by_rank ON messages (peer, rank);
        CREATE INDEX IF NOT EXISTS messages_by_place ON messages (peer, place, id);
        CREATE INDEX IF NOT EXISTS messages_by_seq ON messages (peer, mine, epoch, seq);
        CREATE INDEX IF NOT EXISTS messages_place ON messages (rank);
        CREATE INDEX IF NOT EXISTS messages_owed ON messages (owed) WHERE owed > 0;
        CREATE INDEX IF NOT EXISTS messages_unread ON messages (unread, rank) WHERE unread = 1;
        CREATE INDEX IF NOT EXISTS messages_unread_of ON messages (peer) WHERE unread = 1;
        CREATE INDEX IF NOT EXISTS messages_read ON messages (unread) WHERE unread > 1;
        CREATE INDEX IF NOT EXISTS messages_disorder ON messages (peer) WHERE late = 2;
        CREATE INDEX IF NOT EXISTS messages_unsent ON messages (rank) WHERE state = 6;
        CREATE TABLE IF NOT EXISTS outbox (
            position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, peer TEXT NOT NULL,
            type INTEGER NOT NULL, content BLOB NOT NULL, envelope BLOB, sealed_ms INTEGER,
            parked INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX IF NOT EXISTS outbox_sealed ON outbox (peer, position) WHERE envelope IS NOT NULL;
        CREATE INDEX IF NOT EXISTS outbox_unsealed ON outbox (peer, position) WHERE envelope IS NULL;
        CREATE TABLE IF NOT EXISTS heard (
            id TEXT PRIMARY KEY, peer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            body BLOB NOT NULL, at_ms INTEGER NOT NULL, mark BLOB) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS heard_by_seq ON heard (peer, epoch, seq);
        CREATE TABLE IF NOT EXISTS chains (
            peer TEXT NOT NULL, mine INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            body BLOB NOT NULL, is_open INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 1,
            lost INTEGER NOT NULL DEFAULT 0, floor INTEGER NOT NULL DEFAULT 0,
            elsewhere INTEGER NOT NULL DEFAULT 0, away INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (peer, mine, epoch)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS doubted (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS circle (
            user TEXT PRIMARY KEY,
            blocked INTEGER NOT NULL DEFAULT 0, is_blocked_told INTEGER NOT NULL DEFAULT 1,
            written INTEGER NOT NULL DEFAULT 0, is_written_told INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS unjudged (
            id TEXT PRIMARY KEY, peer TEXT NOT NULL, entry BLOB NOT NULL, mark BLOB NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0, since_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS unjudged_by_peer ON unjudged (peer, entry);
        CREATE TABLE IF NOT EXISTS pins (
            user TEXT PRIMARY KEY, value BLOB NOT NULL, is_first INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS pins_first ON pins (user, length(value)) WHERE is_first = 1;
        """;

    private readonly SqliteConnection _connection;
    private readonly Lock _turn = new();
    private long _seenVersion;

    private LocalStore(SqliteConnection connection) =>
        (_connection, _seenVersion) = (connection, connection.Scalar<long>("PRAGMA data_version"));

    /// <summary>Opens or creates the file.</summary>
    /// <exception cref="ChordChatException">The file is not a profile, is damaged or cannot be written.</exception>
    internal static LocalStore Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = 10,
        }.ToString());
        try
        {
            connection.Open();
            connection.Execute("PRAGMA journal_mode = WAL");
            connection.Execute("PRAGMA synchronous = FULL");
            connection.Execute("PRAGMA fullfsync = 1"); // macOS: fsync alone leaves data in the drive's cache.
            connection.Execute("PRAGMA checkpoint_fullfsync = 1");
            AddColumn(connection, "outbox", "sealed_ms INTEGER");
            AddColumn(connection, "messages", "to_epoch INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "messages", "heard INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "messages", "place INTEGER NOT NULL DEFAULT 0", "sent_ms");
            AddColumn(connection, "messages", "reachable TEXT");
            AddColumn(connection, "messages", "typed_ms INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "messages", "late INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "outbox", "parked INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "chains", "is_open INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "chains", "first INTEGER NOT NULL DEFAULT 1");
            AddColumn(connection, "chains", "lost INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "chains", "floor INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "pins", "is_first INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "messages", "elsewhere INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "heard", "mark BLOB");
            AddColumn(connection, "chains", "elsewhere INTEGER NOT NULL DEFAULT 0");
            AddColumn(connection, "chains", "away INTEGER NOT NULL DEFAULT 0");
            var hasCircle = connection.Scalar<long>("SELECT 1 FROM sqlite_master WHERE name = 'circle'") == 1;
            connection.Execute(Schema);
            if (!hasCircle) // An older profile: whoever was written to stands in its history.
                connection.Execute(
                    """
                    INSERT OR IGNORE INTO circle (user, written, is_written_told)
                    SELECT DISTINCT peer, 1, 0 FROM messages WHERE mine = 1
                    """);
            DamagedKeys.Replace(connection);
            return new LocalStore(connection);
        }
        catch (SqliteException cause)
        {
            connection.Dispose();
            throw IsDamage(cause) ? Damaged(path, cause) : new ChordChatException(
                "profile_not_writable", $"{path} cannot be opened: {cause.Message}",
                "free disk space or check the folder's permissions", cause);
        }
        catch
        {
            connection.Dispose(); // Takes back what was begun.
            throw;
        }
    }

    /// <summary>A column that older profiles do not have.</summary>
    /// <param name="column">As in <see cref="Schema"/>, name first.</param>
    /// <param name="from">What the rows that are there have in it; its default if null.</param>
    private static void AddColumn(SqliteConnection db, string table, string column, string? from = null)
    {
        var name = column.Split(' ')[0];
        if (db.Scalar<long>(
            "SELECT count(*) > 0 AND sum(name = $2) = 0 FROM pragma_table_info($1)", table, name) != 1)
            return;
        db.Execute($"ALTER TABLE {table} ADD COLUMN {column}");
        if (from is not null)
            db.Execute($"UPDATE {table} SET {name} = {from}");
    }

    internal T Read<T>(Func<SqliteConnection, T> query)
    {
        lock (_turn)
            try
            {
                return query(_connection);
            }
            catch (SqliteException cause) when (IsDamage(cause))
            {
                throw Damaged(_connection.DataSource, cause);
            }
    }

    /// <summary>The file is malformed, or none of SQLite's.</summary>
    private static bool IsDamage(SqliteException cause) => cause.SqliteErrorCode is 11 or 26;

    private static ChordChatException Damaged(string path, SqliteException cause) => new(
        "profile_damaged", $"{path} is damaged and cannot be read", Profiles.ProfileFolder.DamageHint, cause);

    /// <summary>The folder of the file.</summary>
    internal string Folder => Path.GetDirectoryName(Path.GetFullPath(_connection.DataSource))!;

    /// <summary>As <see cref="Write{T}"/>, but a power cut may undo it until the next write; the end of this process
    /// does not.</summary>
    internal void WriteSoon(Action<SqliteConnection> change)
    {
        lock (_turn)
            try
            {
                _connection.Execute("PRAGMA synchronous = NORMAL");
                Write(change);
            }
            finally
            {
                _connection.Execute("PRAGMA synchronous = FULL");
            }
    }

    /// <summary>Runs <paramref name="change"/> in one transaction, on disk when this returns.</summary>
    internal T Write<T>(Func<SqliteConnection, T> change)
    {
        lock (_turn)
        {
            try
            {
                // Immediate: two processes that read and then write would otherwise dead-lock each other.
                _connection.Execute("BEGIN IMMEDIATE");
                var result = change(_connection);
                _connection.Execute("COMMIT");
                return result;
            }
            catch (Exception cause)
            {
                RollBack();
                if (cause is SqliteException { SqliteErrorCode: 13 or 10 or 8 })
                    throw new ChordChatException(
                        "profile_not_writable", $"the profile cannot be written: {cause.Message}",
                        "free disk space or check the folder's permissions; "
                        + "what was stored before stays, and goes out later", cause);
                if (cause is SqliteException { SqliteErrorCode: 5 or 6 })
                    throw Failures.ProfileBusy(cause);
                if (cause is SqliteException damage && IsDamage(damage))
                    throw Damaged(_connection.DataSource, damage);
                throw;
            }
        }
    }

    internal void Write(Action<SqliteConnection> change) => Write(connection =>
    {
        change(connection);
        return true;
    });

    /// <summary>Whether another process has committed since the last call, or since this one opened the file.</summary>
    internal bool ChangedElsewhere()
    {
        lock (_turn)
        {
            var version = _connection.Scalar<long>("PRAGMA data_version");
            var changed = version != _seenVersion;
            _seenVersion = version;
            return changed;
        }
    }

    public void Dispose()
    {
        lock (_turn)
            _connection.Dispose();
    }

    private void RollBack()
    {
        try
        {
            _connection.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite rolls some errors back by itself; then there is nothing left to undo.
        }
    }
}
