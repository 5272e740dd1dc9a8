using ChordChat.Core.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

public sealed class ConfigurationRoundsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_node_that_was_away_hears_of_every_tile_that_moved_meanwhile()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await cluster.StopAsync("n4");
        var before = Epochs(cluster, "n1");
        var added = (await cluster.JoinAsync("n1")).Node.Self.Name;
        await Condition.UntilAsync("tiles moved to the new node", Patience, () => Task.FromResult(
            Epochs(cluster, added).Any(tile => tile.Value > before.GetValueOrDefault(tile.Key))));

        await cluster.StartAsync("n4");

        await Condition.UntilAsync("n4 knows what the others know", Patience, () => Task.FromResult(
            cluster.Names.SelectMany(name => Epochs(cluster, name)).GroupBy(tile => tile.Key)
                .All(tile => Epochs(cluster, "n4").GetValueOrDefault(tile.Key) == tile.Max(known => known.Value))));
    }

    private static Dictionary<TileId, ulong> Epochs(NodeCluster cluster, string name) =>
        cluster[name].Services.GetRequiredService<TileDirectory>().All.ToDictionary(
            known => known.Tile, known => (ulong)known.Epoch);
}
