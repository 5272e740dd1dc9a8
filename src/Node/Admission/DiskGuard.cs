using System.Collections.Concurrent;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Hosting;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Admission;

/// <summary>Whether this node may serve: not before the others have looked at what it says of its disk, and never again
/// when one of them has seen more of it than is there.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks. A refused node ends with exit code 4 and leaves a note in its
/// folder, so that later starts end at once, whoever can be reached then.</remarks>
internal sealed partial class DiskGuard(
    DataFolder folder, LocalNode node, IHostApplicationLifetime life, ILogger<DiskGuard> logger)
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<NodeId, bool> _welcomes = new();
    private int _quarantined;

    /// <summary>This node answers for its tiles.</summary>
    public bool IsOpen => _opened.Task.IsCompletedSuccessfully && Volatile.Read(ref _quarantined) == 0;

    public Task OpenedAsync(CancellationToken cancellation) => _opened.Task.WaitAsync(cancellation);

    /// <summary>Enough others have looked.</summary>
    public void Open() => _opened.TrySetResult();

    public void WelcomedBy(NodeId peer) => _welcomes[peer] = true;

    public bool HasWelcomeOf(NodeId peer) => _welcomes.ContainsKey(peer);

    /// <summary>Another node refuses this one and says what it has seen; believed only if that is really missing
    /// here.</summary>
    public void RefusedBy(NodeId peer, DiskSighting seen)
    {
        switch (folder.Runs.History.JudgedBy(seen))
        {
            case DiskVerdict.RolledBack:
                Quarantine("other nodes have seen more of it than it holds: this folder is an older copy (a backup, a "
                    + "snapshot, a clone), or a newer copy of it runs elsewhere");
                break;
            case DiskVerdict.Copied:
                Quarantine("other nodes have seen a start of it that this folder knows nothing of: the folder is a "
                    + "copy (a backup, a snapshot, a clone), and the one it was copied from has been started since");
                break;
            default:
                LogGroundless(peer.ToString()[..8]);
                break;
        }
    }

    /// <summary>Another process has this identity, and everything that this one has.</summary>
    public void GiveWay() => Quarantine("a copy of this folder runs elsewhere and has taken this node's place");

    private void Quarantine(string why)
    {
        if (Interlocked.Exchange(ref _quarantined, 1) != 0)
            return;
        LogQuarantined(node.Self.Name, why, folder.Path);
        try
        {
            folder.Quarantine(why);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNoNote(e.Message);
        }

        Environment.ExitCode = (int)ExitCode.Foreign;
        // A stop while it starts would look like a failed start.
        life.ApplicationStarted.Register(life.StopApplication);
    }

    [LoggerMessage(7011, LogLevel.Critical,
        "{Name} must not serve any more and stops: {Why}. Its data is kept by the other nodes. Remove {Folder} and "
        + "join as a new node: 'chordchat-node cluster invite' on a machine of the cluster, 'chordchat-node cluster "
        + "join TOKEN' here")]
    private partial void LogQuarantined(string name, string why, string folder);

    [LoggerMessage(7012, LogLevel.Warning,
        "node {Peer} refuses this one, but all that it claims to have seen is on this disk. Its memory of other nodes "
        + "(DATA/sightings there) may be damaged")]
    private partial void LogGroundless(string peer);

    [LoggerMessage(7013, LogLevel.Error, "no note could be left in the folder: {Why}. Do not start it again")]
    private partial void LogNoNote(string why);
}
