using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;

namespace ChordChat.Node.Tiles;

/// <summary>Which tiles hold so much on this node that they should be cut, looked up every ten seconds.</summary>
/// <remarks>docs/protocol.md#tile-split.</remarks>
internal sealed class LargeTiles(ReplicaWriter writer, StewardOptions options, TimeProvider time) : ILoop
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private volatile IReadOnlySet<TileId> _now = new HashSet<TileId>();
    private volatile IReadOnlySet<TileId> _nearly = new HashSet<TileId>();

    public bool Contains(TileId tile) => _now.Contains(tile);

    /// <summary>Whether another copy may find it too large: this one has at least half as much.</summary>
    public bool IsNearly(TileId tile) => _nearly.Contains(tile);

    public async Task RunAsync(CancellationToken stopping)
    {
        if (options.SplitBytes > 0)
            await Periodic.RunAsync(Every, time, LookAsync, stopping);
    }

    private async ValueTask LookAsync(CancellationToken cancellation) => (_now, _nearly) = await writer
        .AskAsync(store => (store.TilesAbove(options.SplitBytes), store.TilesAbove(options.SplitBytes / 2)))
        .WaitAsync(cancellation);
}
