using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Links;

/// <summary>Says which other nodes make too much grow here, once a minute each.</summary>
/// <remarks>docs/protocol.md#what-peers-make-grow. Safe for threads.</remarks>
internal sealed partial class PeerRefusals(PeerBook peers, TimeProvider time, ILogger<PeerRefusals> logger)
{
    /// <summary>More than a ring has members.</summary>
    private const int KnownMax = 8_192;

    private readonly ConcurrentDictionary<NodeId, LineBudget> _lines = new();

    public void Note(NodeId peer)
    {
        if (_lines.Count >= KnownMax)
            _lines.Clear();
        var now = (long)time.GetElapsedTime(0).TotalMilliseconds;
        if (_lines.GetOrAdd(peer, static _ => new(1)).Allows(now, out var unsaid))
            LogTooMany(peers(peer)?.Name ?? "a node that is not known here", peer.ShortForm, unsaid);
    }

    [LoggerMessage(3030, LogLevel.Warning,
        "{Name} ({Peer}) makes more rows or mail here than one node may (docs/operations.md#limits); it was refused, "
        + "as it was {Unsaid} more times since the last line. If nobody loads this cluster, look at that node")]
    private partial void LogTooMany(string name, string peer, long unsaid);
}
