using ChordChat.Core.Replication;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Replication;

/// <summary>Which tiles hold so much on this node that they should be cut, looked up every ten seconds.</summary>
/// <remarks>docs/protocol.md#tile-split.</remarks>
internal sealed class LargeTiles(ReplicaWriter writer, StewardOptions options, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private volatile IReadOnlySet<TileId> _now = new HashSet<TileId>();

    public bool Contains(TileId tile) => _now.Contains(tile);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (options.SplitBytes > 0)
                await Periodic.RunAsync(Every, time, LookAsync, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async ValueTask LookAsync(CancellationToken cancellation) =>
        _now = await writer.AskAsync(store => store.TilesAbove(options.SplitBytes)).WaitAsync(cancellation);
}
