using ChordChat.Core.Ring;
using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>Two acts: everything goes wrong, then calm; in the end every pointer and every cache is exact.</summary>
public class WholeRingTests
{
    private static readonly TimeSpan CalmMax = TimeSpan.FromMinutes(3);

    public static TheoryData<ulong> SeedsToRun => [.. Seeds.Take(60)];

    [Theory, MemberData(nameof(SeedsToRun))]
    public void Ring_and_caches_are_exact_once_loss_partitions_and_crashes_end(ulong seed)
    {
        var shape = new Core.Ring.Prng(seed);
        var count = 1 + shape.Below(8);
        var options = new RingOptions { SuccessorCount = 2 + shape.Below(4) };
        var whole = new WholeRing(seed, options, Enumerable.Range(0, count).Select(_ => shape.Next128()));
        var network = whole.World.Network;
        (network.Loss, network.Duplication, network.Straggling) = (0.1, 0.1, 0.1);
        whole.StartAll();
        for (var i = 0; i < 15; i++)
        {
            Disturb(whole, shape);
            whole.World.Run(whole.World.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(10)));
        }

        network.Calm();
        foreach (var down in whole.World.Nodes.Where(number => !whole.World.IsUp(number)).ToList())
            if (shape.Below(2) == 0 || !whole.World.Running.Any())
                whole.Restart(down);
        var fault = whole.Settle(CalmMax);
        Assert.True(fault is null, fault);
    }

    private static void Disturb(WholeRing whole, Core.Ring.Prng shape)
    {
        var world = whole.World;
        var node = shape.Below(world.NodeCount);
        switch (shape.Below(6))
        {
            case 0 when world.NodeCount < 12: whole.Join(shape.Next128()); break;
            case 1 or 2 when world.IsUp(node): world.Crash(node); break;
            case 1 or 2: whole.Restart(node); break;
            case 3:
                var side = world.Random.Sample(world.Nodes, 1 + shape.Below(world.NodeCount));
                world.Network.Split(side, world.Nodes.Except(side), oneWay: shape.Below(3) == 0);
                break;
            default: world.Network.Heal(); break;
        }
    }
}
