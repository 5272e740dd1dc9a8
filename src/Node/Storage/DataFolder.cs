using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Storage;

/// <summary>A node's folder, opened by this process alone: identity checked, database sound, start counted.</summary>
internal sealed class DataFolder : IDisposable
{
    public const string LockFile = "lock";
    private const string StartedFile = "started";
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream lockFile, NodeIdentity identity, NodeDatabase database)
    {
        _lock = lockFile;
        Path = path;
        Identity = identity;
        Database = database;
        Incarnation = database.NextIncarnation();
    }

    public string Path { get; }
    public NodeIdentity Identity { get; }
    public NodeDatabase Database { get; }

    /// <summary>How often this node has been started, this time included; on disk before anybody hears of it.</summary>
    public ulong Incarnation { get; }

    /// <summary>Whether the node in the folder ever had a database.</summary>
    public static bool HasStarted(string path) => File.Exists(System.IO.Path.Combine(path, StartedFile));

    /// <exception cref="StartRefusedException">The folder is not to be used as it is; the text says what to
    /// do.</exception>
    public static DataFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var identity = NodeIdentity.Read(full);
        var lockFile = Lock(full);
        try
        {
            RequireDatabaseIfStarted(full);
            var database = NodeDatabase.Open(full, identity.Self);
            PrivateFiles.WriteOrRefuse(
                System.IO.Path.Combine(full, StartedFile), "this node has had a database\n"u8);
            return new(full, lockFile, identity, database);
        }
        catch
        {
            lockFile.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Database.Dispose();
        _lock.Dispose();
    }

    private static FileStream Lock(string path)
    {
        try
        {
            return new(
                System.IO.Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartRefusedException(
                ExitCode.Storage, $"{path} cannot be written: {e.Message} Run as the user who owns it.");
        }
        catch (IOException)
        {
            throw new StartRefusedException(
                ExitCode.AlreadyRunning,
                $"a node is running in {path} already{At(path)}. One folder is one node: stop that process first, or "
                + "name another node's folder with --data.");
        }
    }

    private static string At(string path) =>
        AddressFile.Read(path) is { } address ? $" (it said {address} when it started)" : "";

    private static void RequireDatabaseIfStarted(string path)
    {
        if (HasStarted(path)
            && !File.Exists(System.IO.Path.Combine(path, NodeDatabase.FileName)))
            throw new StartRefusedException(
                ExitCode.Damaged,
                $"{path}: {NodeDatabase.FileName} is gone. A node that has forgotten what it promised must not come "
                + "back under its old identity: move the folder away and join as a new node with 'chordchat-node "
                + "cluster join TOKEN'. Everything it kept is on other nodes.");
    }
}
