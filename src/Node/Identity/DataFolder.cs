using ChordChat.Node.Base;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Identity;

/// <summary>A node's folder, opened by this process alone: identity checked, database sound, start counted.</summary>
internal sealed class DataFolder : IDisposable
{
    public const string LockFile = "lock";
    private const string StartedFile = "started";
    private const string QuarantineFile = "quarantined";
    private const string DrainedFile = "drained";
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream lockFile, NodeIdentity identity, NodeDatabase database)
    {
        _lock = lockFile;
        Path = path;
        Identity = identity;
        Database = database;
        Runs = database.Start();
    }

    public string Path { get; }
    public NodeIdentity Identity { get; }
    public NodeDatabase Database { get; }

    /// <summary>The starts of this node, this one included, and its commits.</summary>
    public RunTable Runs { get; }

    /// <summary>How often this node has been started, this time included; on disk before anybody hears of it.</summary>
    public ulong Incarnation => Runs.Now.Incarnation;

    /// <summary>Whether the node in the folder ever had a database.</summary>
    public static bool HasStarted(string path) => File.Exists(System.IO.Path.Combine(path, StartedFile));

    /// <exception cref="StartRefusedException">The folder is not to be used as it is; the text says what to
    /// do.</exception>
    public static DataFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var identity = NodeIdentity.Read(full);
        RequireNotRevoked(full, identity);
        var lockFile = Lock(full);
        try
        {
            RequireDatabaseIfStarted(full);
            RequireNotQuarantined(full);
            RequireNotDrained(full);
            var database = NodeDatabase.Open(full, identity.Self.Owner);
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

    /// <summary>Why other nodes have refused this folder for good, or null.</summary>
    public static string? QuarantinedBecause(string path)
    {
        var file = System.IO.Path.Combine(path, QuarantineFile);
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    /// <summary>Remembers for every later start that this folder must not serve.</summary>
    public void Quarantine(string why) =>
        PrivateFiles.Write(
            System.IO.Path.Combine(Path, QuarantineFile), System.Text.Encoding.UTF8.GetBytes(why + "\n"));

    /// <summary>Whether the node in the folder has gone for good: others have all that it kept.</summary>
    public static bool IsDrained(string path) => File.Exists(System.IO.Path.Combine(path, DrainedFile));

    /// <summary>Remembers for every later start that this node has gone for good.</summary>
    public void MarkDrained() =>
        PrivateFiles.Write(System.IO.Path.Combine(Path, DrainedFile), "this node has gone for good\n"u8);

    public void Dispose()
    {
        Database.Dispose();
        _lock.Dispose();
    }

    private static FileStream Lock(string path) =>
        PrivateFiles.TryLock(System.IO.Path.Combine(path, LockFile)) ?? throw new StartRefusedException(
            ExitCode.AlreadyRunning,
            $"a node is running in {path} already{At(path)}. One folder is one node: stop that process first, or "
            + "name another node's folder with --data.");

    private static string At(string path) =>
        AddressFile.Read(path) is { } address ? $" (it said {address} when it started)" : "";

    private static void RequireNotRevoked(string path, NodeIdentity identity)
    {
        if (identity.Trust.Denied?.Of(identity.Self.Node) is { } denial)
            throw new StartRefusedException(
                ExitCode.Revoked,
                $"{path} must not be started any more: {denial.InWords("this node's")}. Its data is kept by the other "
                + "nodes. Remove the folder; to use this machine as a node again, its operator must invite it: "
                + "'chordchat-node cluster invite'.");
    }

    private static void RequireNotQuarantined(string path)
    {
        if (QuarantinedBecause(path) is { } why)
            throw new StartRefusedException(
                ExitCode.Foreign,
                $"{path} must not be started any more: {why}. Its data is kept by the other nodes. Remove the folder "
                + "and join as a new node: 'chordchat-node cluster invite' on a machine of the cluster, "
                + "'chordchat-node cluster join' here.");
    }

    private static void RequireNotDrained(string path)
    {
        if (IsDrained(path))
            throw new StartRefusedException(
                ExitCode.Drained,
                $"{path} was drained: its node has gone for good, and other nodes keep all that it kept. Delete the "
                + $"folder. Or, to let the node come back, delete {System.IO.Path.Combine(path, DrainedFile)} and "
                + "start it again.");
    }

    private static void RequireDatabaseIfStarted(string path)
    {
        if (HasStarted(path)
            && !File.Exists(System.IO.Path.Combine(path, NodeDatabase.FileName)))
            throw new StartRefusedException(
                ExitCode.Damaged,
                $"{path}: {NodeDatabase.FileName} is gone. A node that has forgotten what it promised must not come "
                + "back under its old identity: move the folder away and join as a new node with 'chordchat-node "
                + "cluster join'. Everything it kept is on other nodes.");
    }
}
