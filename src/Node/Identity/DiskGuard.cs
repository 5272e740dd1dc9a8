using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>Whether this node may serve: not before the others have looked at what it says of its disk, and never again
/// when it is shown that more of it was seen than is there.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks. A refused node ends with exit code 4 and leaves a note in its
/// folder, so that later starts end at once, whoever can be reached then.</remarks>
internal sealed partial class DiskGuard(
    DataFolder folder, LocalNode node, IHostApplicationLifetime life, ILogger<DiskGuard> logger)
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<NodeId, bool> _welcomes = new();
    private readonly ConcurrentDictionary<NodeId, DiskVerdict> _refusals = new();
    private readonly ConcurrentDictionary<NodeId, bool> _groundless = new(); // The log names each once.
    private int _quarantined;

    /// <summary>The other nodes, each of which has one voice; whoever is none of them has none.</summary>
    public Func<IReadOnlyCollection<NodeId>> Others { get; set; } = static () => [];

    /// <summary>This node answers for its tiles.</summary>
    public bool IsOpen => _opened.Task.IsCompletedSuccessfully && Volatile.Read(ref _quarantined) == 0;

    public Task OpenedAsync(CancellationToken cancellation) => _opened.Task.WaitAsync(cancellation);

    /// <summary>Enough others have looked; if most of them have refused it, it never serves.</summary>
    public void Open()
    {
        var others = Others();
        if (IsRefusedByMost(others))
            Quarantine(_refusals[others.First(_refusals.ContainsKey)]);
        else
            _opened.TrySetResult();
    }

    public void WelcomedBy(NodeId peer) => _welcomes[peer] = true;

    public bool HasWelcomeOf(NodeId peer) => _welcomes.ContainsKey(peer);

    /// <summary>Another node refuses this one and says what it has seen; believed only if that is really missing here,
    /// and this node itself has signed it or more than half of the others say so.</summary>
    /// <param name="isProven">This node's own signature was shown under it.</param>
    public void RefusedBy(NodeId peer, DiskSighting seen, bool isProven)
    {
        var verdict = folder.Runs.History.JudgedBy(seen);
        if (verdict == DiskVerdict.Whole)
        {
            if (_groundless.TryAdd(peer, true))
                LogGroundless(peer.ShortForm);
        }
        else if (isProven || IsBelieved(peer, verdict))
            Quarantine(verdict);
    }

    /// <summary>Who the others are is not known right after the start: until it opens it only takes note.</summary>
    private bool IsBelieved(NodeId peer, DiskVerdict verdict)
    {
        var isNew = _refusals.TryAdd(peer, verdict);
        var others = Others();
        if (_opened.Task.IsCompleted && IsRefusedByMost(others))
            return true;
        if (isNew)
            LogAlone(peer.ShortForm, VoicesOf(others), others.Count);
        return false;
    }

    private bool IsRefusedByMost(IReadOnlyCollection<NodeId> others) => VoicesOf(others) * 2 > others.Count;

    private int VoicesOf(IReadOnlyCollection<NodeId> others) => others.Count(_refusals.ContainsKey);

    /// <summary>Another process has this identity, and everything that this one has.</summary>
    public void GiveWay() => Quarantine("a copy of this folder runs elsewhere and has taken this node's place");

    private void Quarantine(DiskVerdict verdict) => Quarantine(verdict == DiskVerdict.Copied
        ? "this folder is a copy (a backup, snapshot or clone), and its original has been started since"
        : "this folder is older than what this node has told other nodes: it is an old copy (a backup, snapshot or "
            + "clone), or a newer copy runs elsewhere");

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
        + "join' here")]
    private partial void LogQuarantined(string name, string why, string folder);

    [LoggerMessage(7012, LogLevel.Warning,
        "node {Peer} refuses this one, but all that it claims to have seen is on this disk. Its memory of other nodes "
        + "(DATA/sightings there) may be damaged")]
    private partial void LogGroundless(string peer);

    [LoggerMessage(7014, LogLevel.Warning,
        "node {Peer} refuses this one and shows no proof. So far {Count} of the {Others} other nodes have refused it, "
        + "not enough to be believed. If this folder was restored from a backup, stop this node and join as a new "
        + "one; otherwise look at the node that refuses")]
    private partial void LogAlone(string peer, int count, int others);

    [LoggerMessage(7013, LogLevel.Error, "no note could be left in the folder: {Why}. Do not start it again")]
    private partial void LogNoNote(string why);
}
