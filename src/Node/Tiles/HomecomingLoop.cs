using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;

namespace ChordChat.Node.Tiles;

/// <summary>Keeps this node's own time going, and, after it was off or paused for long, finds out tile by tile whether
/// its rows count.</summary>
/// <remarks>docs/protocol.md#tombstones; the verdict is that of <see cref="Homecoming"/>.</remarks>
internal sealed partial class HomecomingLoop(
    ReplicaWriter writer,
    TileBoard board,
    ReplicaCalls calls,
    TileDirectory directory,
    CoordinatorOptions patience,
    TimeProvider time,
    ILogger<HomecomingLoop> logger) : ILoop
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(30);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await writer.AskAsync(_ => true);
            var away = board.All.Where(header => header.Phase == TilePhase.Away).ToArray();
            if (away.Length > 0)
                LogAway(away.Length);
            await Task.WhenAll(away.Select(header => Operation.RunAsync(
                new Homecoming(calls.Self, header.Configuration, patience),
                calls, directory, time, stopping)));
            await Task.Delay(Beat, time, stopping);
        }
    }

    [LoggerMessage(2231, LogLevel.Warning,
        "this node was off for so long that what it keeps of {Count} tiles counts only where the others have not "
        + "gone on without it; the rest is copied anew")]
    private partial void LogAway(int count);
}
