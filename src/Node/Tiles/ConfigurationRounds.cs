using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Brings this node's hints up to date: as soon as it sees others after its start, and now and then. A node
/// that was away hears of nothing that moved meanwhile unless it asks.</summary>
internal sealed class ConfigurationRounds(
    ConfigurationSearch search, TileDirectory directory, RingDriver ring, TimeProvider time,
    LoopFaults<ConfigurationRounds> faults) : ILoop
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            while (ring.Now.Members.Live.IsEmpty)
                await Task.Delay(Look, time, stopping);
            foreach (var known in directory.All.ToArray())
                await faults.TryAsync(() => search.RefreshAsync(known.Tile.Start, stopping), stopping);
            await Task.Delay(Every * (0.75 + (Random.Shared.NextDouble() / 4)), time, stopping);
        }
    }
}
