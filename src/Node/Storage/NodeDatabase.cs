using System.Globalization;
using ChordChat.Node.Base;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Storage;

/// <summary>The node's one SQLite file and its one connection, which belongs to the thread that writes.</summary>
/// <remarks>
/// WAL with synchronous=FULL: a commit has been fsynced when it returns (NORMAL would not do so in WAL). The lock is
/// exclusive, so no other process can slip in between. Opening fails rather than weakens any of this.
/// </remarks>
internal sealed class NodeDatabase : IDisposable
{
    /// <summary>The version of all tables together; raised when an older program could not read what is
    /// written.</summary>
    public const int SchemaVersion = 6;

    public const string FileName = "chordchat.db";
    private const string Log = "-wal";
    private const string LogIndex = "-shm";
    private const int SqliteNotADatabase = 26;
    private const int SqliteCorrupt = 11;

    private readonly string _path;

    private NodeDatabase(string path, SqliteConnectionStringBuilder how)
    {
        _path = path;
        how.Pooling = false;
        Connection = new(how.ToString());
    }

    /// <summary>The only connection there is. Not for two threads at once.</summary>
    public SqliteConnection Connection { get; }

    /// <summary>Opens or makes the file, proves it sound and this node's own.</summary>
    /// <exception cref="StartRefusedException">Damaged, foreign, newer or in use; the text says what to do.</exception>
    public static NodeDatabase Open(string folder, DatabaseOwner owner)
    {
        var path = Path.Combine(folder, FileName);
        PrivateFiles.Make(path); // SQLite would take the rights from the umask; its log has those of the file.
        PrivateFiles.TakeFromOthers(path);
        PrivateFiles.TakeFromOthers(path + Log);
        var database = new NodeDatabase(path, new() { DataSource = path });
        try
        {
            database.Connection.Open();
            database.Configure();
            database.CheckSound();
            database.Version();
            database.MakeTables();
            database.TakeOwner(owner);
            return database;
        }
        catch (SqliteException e)
        {
            database.Dispose();
            throw database.Refusal(e);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Proves the file of a node that does not run sound and its own, and writes nothing: not even what a
    /// crash has left in the log is moved home.</summary>
    /// <returns>In words, what it is.</returns>
    /// <exception cref="StartRefusedException">Damaged, foreign or newer; the text says what to do.</exception>
    public static string Inspect(string folder, DatabaseOwner owner)
    {
        var path = Path.Combine(folder, FileName);
        var hadIndex = File.Exists(path + LogIndex);
        try
        {
            using var database = new NodeDatabase(path, Reading(path));
            try
            {
                database.Connection.Open();
                database.CheckSound();
                if (database.Version() == 0)
                    return "none yet; the first start fills it";
                database.RequireOwner(owner);
                return $"sound, SQLite {database.Connection.ServerVersion}";
            }
            catch (SqliteException e)
            {
                throw database.Refusal(e);
            }
        }
        finally
        {
            if (!hadIndex)
                File.Delete(path + LogIndex); // SQLite reads the log through it.
        }
    }

    /// <summary>Counts this start: one more than ever before, on disk before it is returned. Once for each
    /// process.</summary>
    /// <exception cref="StartRefusedException">It cannot be written; the disk may be full.</exception>
    public RunTable Start()
    {
        try
        {
            return Runs = new RunTable(Connection, EntryTable.LastArrivalIn(Connection));
        }
        catch (SqliteException e)
        {
            throw Refusal(e);
        }
    }

    /// <summary>Null until <see cref="Start"/>.</summary>
    public RunTable? Runs { get; private set; }

    public string? Meta(string key)
    {
        using var command = Command("SELECT value FROM meta WHERE key = $key");
        command.Parameters.AddWithValue("$key", key);
        return command.ExecuteScalar() as string;
    }

    public void SetMeta(string key, string value)
    {
        using var command = Command("INSERT OR REPLACE INTO meta (key, value) VALUES ($key, $value)");
        command.Parameters.AddWithValue("$key", key);
        command.Parameters.AddWithValue("$value", value);
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        Runs?.Dispose();
        Connection.Dispose();
    }

    private void Configure()
    {
        Scalar("PRAGMA page_size = 8192"); // Before the first page is written; later it changes nothing.
        Scalar("PRAGMA locking_mode = EXCLUSIVE");
        Require("PRAGMA journal_mode = WAL", "wal");
        Scalar("PRAGMA synchronous = FULL");
        Require("PRAGMA synchronous", "2");
        Scalar("PRAGMA fullfsync = 1"); // macOS: fsync alone leaves data in the drive's cache.
        Scalar("PRAGMA checkpoint_fullfsync = 1");
        Scalar("PRAGMA temp_store = MEMORY");
        // 64 MiB: a page that is written often is moved home once, and a checkpoint stops the writer for some 40 ms.
        // With 16 MiB they came three times a second under load: 7,788 messages kept a second instead of 8,611.
        Scalar("PRAGMA wal_autocheckpoint = 8000");
        Scalar("PRAGMA cache_size = -16384"); // KiB
    }

    private void CheckSound()
    {
        if (Scalar("PRAGMA quick_check(1)") is var found and not "ok")
            throw Damaged(found);
    }

    /// <summary>Without a log the file is all there is, and SQLite is told that it stays as it is: it makes no files
    /// beside it then.</summary>
    private static SqliteConnectionStringBuilder Reading(string path) => new()
    {
        Mode = SqliteOpenMode.ReadOnly,
        DataSource = new FileInfo(path + Log) is { Exists: true, Length: > 0 }
            ? path
            : $"{new Uri(path).AbsoluteUri.Replace("#", "%23", StringComparison.Ordinal)}?immutable=1",
    };

    /// <summary>Of the tables; 0 when there are none yet.</summary>
    /// <exception cref="StartRefusedException">Another program's.</exception>
    private int Version()
    {
        var version = int.Parse(Scalar("PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version > SchemaVersion)
            throw new StartRefusedException(
                ExitCode.Newer,
                $"{_path} was written by a newer chordchat-node (format {version}; this one knows up to "
                + $"{SchemaVersion}). Run the newer program again; the file has not been touched.");
        if (version is > 0 and < SchemaVersion)
            throw new StartRefusedException(
                ExitCode.Newer,
                $"{_path} was written by an older chordchat-node (format {version}; this one writes {SchemaVersion}) "
                + "and cannot be read any more. Run the older program, or begin a new cluster; the file has not been "
                + "touched.");
        return version;
    }

    private void MakeTables()
    {
        Scalar("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
        Scalar(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {SchemaVersion}"));
    }

    private void TakeOwner(DatabaseOwner owner)
    {
        if (RequireOwner(owner))
            return;
        // In one commit: with half of it, after a power cut, this would be another node's.
        using var command = Command("INSERT INTO meta (key, value) VALUES ('cluster', $cluster), ('node', $node)");
        command.Parameters.AddWithValue("$cluster", owner.Cluster);
        command.Parameters.AddWithValue("$node", owner.Node);
        command.ExecuteNonQuery();
    }

    /// <returns>False when it is nobody's yet.</returns>
    /// <exception cref="StartRefusedException">It is another's.</exception>
    private bool RequireOwner(DatabaseOwner owner)
    {
        var (cluster, node) = owner;
        var (storedCluster, storedNode) = (Meta("cluster"), Meta("node"));
        if (storedCluster is null && storedNode is null)
            return false;
        if (storedCluster != cluster)
            throw Foreign($"of another cluster ({storedCluster?[..8]}, this node is of {cluster[..8]})");
        if (storedNode != node)
            throw Foreign($"another node's ({storedNode?[..8]}, this is {node[..8]})");
        return true;
    }

    private StartRefusedException Foreign(string whose) => new(
        ExitCode.Foreign,
        $"{_path} is {whose}. A database and an identity that do not belong together would break promises that other "
        + "nodes rely on. Put back the folder as it was, or start with a new folder from 'cluster join'.");

    private StartRefusedException Damaged(string found) => new(
        ExitCode.Damaged,
        $"{_path} is damaged ({found.ReplaceLineEndings(" ")}). Check the disk. This node must not go on with it: "
        + "move the folder away and join as a new node ('chordchat-node cluster invite' on the machine with the "
        + "cluster folder, then 'chordchat-node cluster join' here). Everything it kept is on other nodes.");

    /// <summary>Why a node does not start, or what its operator has to do about the file.</summary>
    public StartRefusedException Refusal(SqliteException e) => e.SqliteErrorCode switch
    {
        5 or 6 => new(ExitCode.AlreadyRunning, $"{_path} is in use by another program. Close it, then start again."),
        SqliteCorrupt or SqliteNotADatabase => Damaged(e.Message),
        8 or 14 => new(ExitCode.Storage, $"{_path} cannot be opened for writing: {e.Message}. Check who owns the "
            + "folder."),
        13 => new(ExitCode.Storage, $"the disk of {_path} is full. Make room, then start again."),
        _ => new(ExitCode.Storage, $"{_path} cannot be used: {e.Message}. Check the disk ('chordchat-node doctor')."),
    };

    private void Require(string pragma, string wanted)
    {
        if (Scalar(pragma) is var got && got != wanted)
            throw new StartRefusedException(
                ExitCode.Storage, $"{_path}: '{pragma}' gives '{got}' instead of '{wanted}', so an acknowledged "
                + "message could be lost when power fails. Use a local disk with a common file system.");
    }

    private string Scalar(string sql)
    {
        using var command = Command(sql);
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    private SqliteCommand Command(string sql)
    {
        var command = Connection.CreateCommand();
#pragma warning disable CA2100 // Only constants come here; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}

/// <summary>Whose a database is.</summary>
/// <param name="Cluster">In hex.</param>
/// <param name="Node">The node's id, in hex.</param>
internal readonly record struct DatabaseOwner(string Cluster, string Node);
