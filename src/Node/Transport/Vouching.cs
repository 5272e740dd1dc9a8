using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Transport;

/// <summary>Shows this start of the node to the others before it serves.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks.</remarks>
internal sealed partial class Vouching(
    RingDriver ring, PeerLinks links, DiskGuard guard, TimeProvider time, ILogger<Vouching> logger) : BackgroundService
{
    /// <summary>Others that are asked, clockwise from this node: those who share tiles with it come first.</summary>
    private const int AskedMax = 64;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ForTheSuspect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForTheSilent = TimeSpan.FromSeconds(5);

    private readonly DiskGuard _guard = Counting(guard, ring);

    /// <summary>From the first call on the guard knows how many nodes there are.</summary>
    private static DiskGuard Counting(DiskGuard guard, RingDriver ring)
    {
        guard.CountOthers = () => ring.Now.Members.All.Count(
            member => member.IsOnRecord && member.Peer.Node != ring.Now.Self.Node);
        return guard;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        while (!IsVouched(time.GetElapsedTime(started)))
            await Task.Delay(Look, time, stoppingToken);
        _guard.Open();
        LogOpen((long)time.GetElapsedTime(started).TotalMilliseconds);
    }

    private bool IsVouched(TimeSpan waited)
    {
        var self = ring.Now.Self;
        var others = ring.Now.Members.Clockwise(self.Position)
            .Where(member => member.IsOnRecord && member.Peer.Node != self.Node).Take(AskedMax).ToList();
        foreach (var member in others.Where(member => member.IsReachable && !_guard.HasWelcomeOf(member.Peer.Node)))
            links.Greet(member.Peer.Node);
        return MayOpen(waited, others, _guard.HasWelcomeOf);
    }

    /// <summary>Whether all have looked that may be there to look.</summary>
    /// <param name="others">The other members on record.</param>
    internal static bool MayOpen(TimeSpan waited, IReadOnlyCollection<Member> others, Func<NodeId, bool> hasLooked)
    {
        var missing = others.Where(member => !hasLooked(member.Peer.Node)).ToList();
        if (missing.Count == 0 || waited >= ForTheSilent)
            return true;
        // Of a founder that nobody has heard yet nothing is known: it may be about to answer.
        return waited >= ForTheSuspect && missing.Count < others.Count
            && missing.All(member => member.WasHeard && !member.IsReachable);
    }

    [LoggerMessage(3010, LogLevel.Information, "serves now; the other nodes had {Milliseconds} ms to check this start")]
    private partial void LogOpen(long milliseconds);
}
