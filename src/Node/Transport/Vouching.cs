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
    private static readonly TimeSpan ForTheUnheard = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForTheSilent = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        while (!IsVouched(time.GetElapsedTime(started)))
            await Task.Delay(Look, time, stoppingToken);
        guard.Open();
        LogOpen((long)time.GetElapsedTime(started).TotalMilliseconds);
    }

    private bool IsVouched(TimeSpan waited)
    {
        var self = ring.Now.Self;
        var others = ring.Now.Members.Clockwise(self.Position)
            .Where(member => member.IsOnRecord && member.Peer.Node != self.Node).Take(AskedMax).ToList();
        var missing = others.Where(member => !guard.HasWelcomeOf(member.Peer.Node)).ToList();
        foreach (var member in missing.Where(member => member.IsReachable))
            links.Greet(member.Peer.Node);
        return missing.Count == 0
            || (waited >= ForTheUnheard && missing.Count < others.Count && !missing.Any(member => member.IsReachable))
            || waited >= ForTheSilent;
    }

    [LoggerMessage(3010, LogLevel.Information, "serves, after the others had {Milliseconds} ms to look at this start")]
    private partial void LogOpen(long milliseconds);
}
