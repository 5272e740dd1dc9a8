using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Node.Base;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Compares this node's active copies with those of the other members and fetches what is missing
/// here.</summary>
/// <remarks>docs/protocol.md#repair. What is missing there the others fetch themselves.</remarks>
internal sealed partial class RepairLoop(
    TileBoard board,
    ReplicaCalls calls,
    TileDirectory directory,
    RingDriver ring,
    CoordinatorOptions patience,
    RepairOptions options,
    TimeProvider time,
    LoopFaults<RepairLoop> faults,
    ILogger<RepairLoop> logger) : ILoop
{
    /// <summary>Tiles in one message.</summary>
    private const int ComparedMax = 256;

    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    private readonly PeerTurns _turns = new(
        options.PeersAtOnceMax, options.PeerMax, options.Every, faults.Report, time);

    public Task RunAsync(CancellationToken stopping) =>
        Periodic.RunAsync(options.Every, time, RoundAsync, stopping);

    private async ValueTask RoundAsync(CancellationToken cancellation)
    {
        var sums = new Dictionary<NodeId, List<TileSum>>();
        var configurations = new Dictionary<TileId, TileConfiguration>();
        foreach (var header in board.All.Where(header => header.Phase == TilePhase.Active))
        {
            var at = header.Configuration.At;
            if (header.Configuration.Members.Length < 2 || await SummarizeAsync(at, cancellation) is not { } root)
                continue;
            configurations[header.Tile] = header.Configuration;
            foreach (var member in header.Configuration.Members.Where(member => member != calls.Self))
            {
                if (!sums.TryGetValue(member, out var mine))
                    sums[member] = mine = [];
                mine.Add(new(at, root));
            }
        }

        await _turns.RunAsync(
            sums.Keys.OrderBy(_ => Random.Shared.Next()),
            (peer, limit) => MendAsync(peer, sums[peer], configurations, limit),
            cancellation);
    }

    private async Task MendAsync(
        NodeId peer,
        List<TileSum> mine,
        Dictionary<TileId, TileConfiguration> configurations,
        CancellationToken cancellation)
    {
        foreach (var some in mine.Chunk(ComparedMax))
            if (await calls.AskAsync(peer, new ReplicaRequest.Compare([.. some]), AnswerMax, cancellation)
                is ReplicaReply.Differing differing)
                foreach (var tile in differing.Tiles.OrderBy(_ => Random.Shared.Next()).Take(options.TilesMax))
                    if (configurations.TryGetValue(tile.At.Tile, out var at) && at.At == tile.At)
                        await MendAsync(peer, at, tile, cancellation);
    }

    /// <summary>A large tile's digest is worked out in several steps, with room for others in between.</summary>
    private async Task<UInt128?> SummarizeAsync(TileEpoch at, CancellationToken cancellation)
    {
        while (true)
            if (await calls.AskAsync(calls.Self, new ReplicaRequest.Summarize(at), AnswerMax, cancellation)
                is not ReplicaReply.Summary summary)
                return null;
            else if (summary.Root is { } root)
                return root;
    }

    private async Task MendAsync(
        NodeId peer, TileConfiguration configuration, TileSums theirs, CancellationToken cancellation)
    {
        var repair = new TileRepair(calls.Self, peer, configuration, theirs.Sums, patience)
        {
            BegunMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        using var limit = new CancellationTokenSource(options.TileMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await Operation.RunAsync(repair, calls, directory, time, end.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // What was fetched stays, and does not differ the next time.
        }

        if (repair.FetchedCount > 0)
            LogMended(
                repair.FetchedCount,
                configuration.Tile.ToString(),
                ring.Now.NameOf(peer));
    }

    [LoggerMessage(2211, LogLevel.Debug, "fetched {Count} rows of tile {Tile} from {Peer}")]
    private partial void LogMended(int count, string tile, string peer);
}
