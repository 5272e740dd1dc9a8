using System.Globalization;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Tiles;

/// <summary>Reads every row again, slowly, and has the tiles distrusted whose rows are not what was written.</summary>
/// <remarks>docs/protocol.md#scrub. What becomes of such a tile is the steward's business.</remarks>
internal sealed partial class Scrubber(
    ReplicaWriter writer,
    ReplicaCalls calls,
    NodeDatabase database,
    TileBoard board,
    DiskGuard guard,
    ScrubOptions options,
    TimeProvider time,
    ILogger<Scrubber> logger) : ILoop
{
    private const string LastPass = "scrubbed";

    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    /// <summary>How often to look whether a pass is due. A single timer would not do: it does not count while the
    /// machine sleeps, and cannot run for longer than 49 days.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromDays(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            for (var due = await DueInAsync(); due > TimeSpan.Zero; due = await DueInAsync())
                await Task.Delay(due < LookAgain ? due : LookAgain, time, stopping);
            var begun = time.GetUtcNow().ToUnixTimeMilliseconds();
            await ReadAllAsync(stopping);
            await writer.AskAsync(_ =>
            {
                database.SetMeta(LastPass, begun.ToString(CultureInfo.InvariantCulture));
                return true;
            });
        }
    }

    /// <summary>If the last pass lies in the future, the next is due at once: the clock was wrong then, or is now.
    /// </summary>
    private async Task<TimeSpan> DueInAsync()
    {
        if (await writer.AskAsync(_ => database.Meta(LastPass)) is not { } last)
            return TimeSpan.Zero;
        var since = time.GetUtcNow()
            - DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(last, CultureInfo.InvariantCulture));
        return since < TimeSpan.Zero ? TimeSpan.Zero : options.Every - since;
    }

    private async Task ReadAllAsync(CancellationToken stopping)
    {
        await guard.OpenedAsync(stopping); // Before that this node's replica takes no requests.
        for (var at = (ScrubCursor?)default(ScrubCursor); at is { } cursor;)
        {
            var (next, damaged) = await writer.AskAsync(store =>
            {
                var (next, tiles) = store.Check(cursor, options.RowsAtOnce);
                // Here, not later: rows of the next epoch are others.
                return (next, tiles.Select(board.Of).OfType<TileHeader>().ToList());
            });
            var areAllDistrusted = true;
            foreach (var header in damaged)
                if (header.Phase is not (TilePhase.Damaged or TilePhase.Retired))
                    areAllDistrusted &= await IsDistrustedAsync(header, stopping);
            if (areAllDistrusted)
                at = next; // Otherwise the same rows again: nothing that was found is forgotten.
            await Task.Delay(options.Pause, time, stopping);
        }
    }

    private async Task<bool> IsDistrustedAsync(TileHeader header, CancellationToken stopping)
    {
        var distrust = new ReplicaRequest.Distrust(header.Tile, header.Newest.At);
        if (await calls.AskAsync(calls.Self, distrust, AnswerMax, stopping) is not ReplicaReply.Done)
            return false;
        LogDistrusted(header.Tile.ToString());
        return true;
    }

    [LoggerMessage(2201, LogLevel.Warning,
        "this node does not answer for tile {Tile} until it has copied it anew from the others")]
    private partial void LogDistrusted(string tile);
}
