using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Forgets tombstones and sees whether a node that was away for long may count its rows, as
/// Node/Tiles/CollectionLoop and HomecomingLoop do.</summary>
internal sealed class CollectionHost(SwarmNode node, TileHost tiles, Aging aging)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private readonly Dictionary<TileId, Homecoming> _homecomings = [];

    public void Start()
    {
        Every(aging.CollectEvery, Collect);
        Every(Look, ComeHome);
    }

    private void Collect()
    {
        foreach (var header in tiles.Shown.Where(header => header.Phase == TilePhase.Active).ToArray())
        {
            var collector = new TombstoneCollector(node.Self.Node, header.Configuration, node.Cluster.Plan.Patience)
            {
                Rules = node.Cluster.Rules,
            };
            tiles.Run(collector, _ =>
            {
                if (collector.IsDone)
                    node.Cluster.Watch.Collected(collector.ForgottenCount);
            });
        }
    }

    private void ComeHome()
    {
        foreach (var header in tiles.Shown.Where(header => header.Phase == TilePhase.Away).ToArray())
            if (!_homecomings.TryGetValue(header.Tile, out var before) || before.IsDone)
                tiles.Run(_homecomings[header.Tile] =
                    new Homecoming(node.Self.Node, header.Configuration, node.Cluster.Plan.Patience));
    }

    private void Every(TimeSpan wait, Action act)
    {
        var world = node.Cluster.World;
        world.After(node.Number, world.Random.Between(wait * 0.75, wait * 1.25), () =>
        {
            act();
            Every(wait, act);
        });
    }
}
