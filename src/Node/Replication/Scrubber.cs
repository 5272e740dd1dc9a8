using System.Globalization;
using ChordChat.Core.Replication;
using ChordChat.Node.Storage;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Reads every row again, slowly, and has the tiles distrusted whose rows are not what was written.</summary>
/// <remarks>docs/protocol.md#scrub. What becomes of such a tile is the steward's business.</remarks>
internal sealed partial class Scrubber(
    ReplicaWriter writer,
    ReplicaCalls calls,
    NodeDatabase database,
    TileBoard board,
    ScrubOptions options,
    TimeProvider time,
    ILogger<Scrubber> logger) : BackgroundService
{
    private const string LastPass = "scrubbed";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var last = await writer.AskAsync(_ => database.Meta(LastPass));
                var due = last is null
                    ? TimeSpan.Zero
                    : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(last, CultureInfo.InvariantCulture))
                        + options.Every - time.GetUtcNow();
                if (due > TimeSpan.Zero)
                    await Task.Delay(due < options.Every ? due : options.Every, time, stoppingToken);
                var begun = time.GetUtcNow().ToUnixTimeMilliseconds();
                await ReadAllAsync(stoppingToken);
                await writer.AskAsync(_ =>
                {
                    database.SetMeta(LastPass, begun.ToString(CultureInfo.InvariantCulture));
                    return true;
                });
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task ReadAllAsync(CancellationToken stopping)
    {
        var distrusted = new HashSet<TileId>();
        for (var at = (ScrubCursor?)default(ScrubCursor); at is { } cursor;)
        {
            var (next, damaged) = await writer.AskAsync(store => store.Check(cursor, options.RowsAtOnce));
            foreach (var tile in damaged.Where(distrusted.Add))
            {
                if (board.Of(tile) is { Phase: not TilePhase.Damaged })
                    LogDistrusted(tile.ToString());
                calls.Send(calls.Self, new ReplicaRequest.Distrust(tile), _ => { });
            }

            at = next;
            await Task.Delay(options.Pause, time, stopping);
        }
    }

    [LoggerMessage(2201, LogLevel.Warning,
        "this node answers no more for tile {Tile} until it has copied it anew from the others")]
    private partial void LogDistrusted(string tile);
}
