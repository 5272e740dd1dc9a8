using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;

namespace ChordChat.Node.Tiles;

/// <summary>Goes through this node's tiles again and again for tombstones that nobody needs any more and messages that
/// have expired.</summary>
/// <remarks>docs/protocol.md#tombstones; what may go is decided by <see cref="TombstoneCollector"/>.</remarks>
internal sealed partial class CollectionLoop(
    TileBoard board,
    ReplicaCalls calls,
    TileDirectory directory,
    CoordinatorOptions patience,
    CollectionOptions options,
    TimeProvider time,
    LoopFaults<CollectionLoop> faults,
    ILogger<CollectionLoop> logger) : ILoop
{
    public Task RunAsync(CancellationToken stopping) =>
        Periodic.RunAsync(options.Every, time, RoundAsync, stopping);

    private async ValueTask RoundAsync(CancellationToken cancellation)
    {
        var (forgotten, expired) = (0, 0);
        foreach (var header in board.All.Where(header => header.Phase == TilePhase.Active))
        {
            var collection = new TombstoneCollector(calls.Self, header.Configuration, patience);
            await faults.TryAsync(
                () => Operation.RunAsync(collection, calls, directory, time, cancellation), cancellation);
            forgotten += collection.ForgottenCount;
            expired += collection.ExpiredCount;
        }

        if (forgotten + expired > 0)
            LogCollected(forgotten, expired);
    }

    [LoggerMessage(2221, LogLevel.Information,
        "{Forgotten} marks of messages deleted long ago were dropped; {Expired} messages that nobody read in time "
        + "have expired")]
    private partial void LogCollected(int forgotten, int expired);
}
