using Xunit;

namespace ChordChat.Tests.Simulation.World;

public class SimulatedWorldTests
{
    [Fact]
    public void The_same_seed_gives_the_same_trace_and_another_seed_another()
    {
        Assert.Equal(Gossip(7), Gossip(7));
        Assert.NotEqual(Gossip(7), Gossip(8));
    }

    [Fact]
    public void A_cut_is_one_way_and_a_heal_ends_it()
    {
        var world = new SimulatedWorld<string>(1);
        var heard = new List<string>();
        var a = world.Add((_, text) => heard.Add("a " + text));
        var b = world.Add((_, text) => heard.Add("b " + text));
        world.Network.Cut(a, b);
        world.Send(a, b, "1");
        world.Send(b, a, "2");
        world.Run(TimeSpan.FromSeconds(1));
        world.Network.Heal();
        world.Send(a, b, "3");
        world.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(["a 2", "b 3"], heard);
    }

    [Fact]
    public void A_crash_ends_timers_and_loses_what_was_not_synced()
    {
        var world = new SimulatedWorld<string>(1);
        var node = world.Add((_, _) => { });
        var disk = new Disk();
        var map = new DurableMap<string, int>(disk, new Dictionary<string, int>());
        var rang = 0;
        map.Put("kept", 1);
        disk.Sync();
        map.Put("kept", 2);
        map.Put("lost", 1);
        map.Remove("kept");
        world.After(node, TimeSpan.FromSeconds(1), () => rang++);
        world.Crash(node);
        disk.Crash();
        world.Restart(node);
        world.After(node, TimeSpan.FromSeconds(1), () => rang += 10);
        world.Run(TimeSpan.FromSeconds(2));
        Assert.Equal((10, 1, false), (rang, map["kept"], map.TryGet("lost", out _)));
    }

    [Fact]
    public void A_failure_starts_with_the_seed_and_ends_with_the_last_events()
    {
        var world = new SimulatedWorld<string>(42);
        var node = world.Add((_, _) => { });
        for (var i = 0; i < 100; i++)
            world.Note(node, $"event {i}");
        var lines = world.Failure("two owners").Split('\n');
        Assert.StartsWith("seed 42: two owners", lines[0], StringComparison.Ordinal);
        Assert.Equal(1 + Trace.LinesMax, lines.Length);
        Assert.EndsWith("event 99", lines[^1], StringComparison.Ordinal);
    }

    /// <summary>Nodes that pass rumours on while the world does its worst; gives the trace's hash.</summary>
    private static ulong Gossip(ulong seed)
    {
        var world = new SimulatedWorld<string>(seed);
        (world.Network.Loss, world.Network.Duplication, world.Network.Straggling) = (0.1, 0.1, 0.1);
        for (var i = 0; i < 5; i++)
        {
            var self = i;
            world.Add((_, text) =>
            {
                if (text.Length < 12)
                    world.Send(self, world.Random.Below(5), text + self);
            });
        }

        world.After(TimeSpan.FromMilliseconds(5), () => world.Crash(2));
        world.After(TimeSpan.FromMilliseconds(50), () => world.Restart(2));
        for (var i = 0; i < 20; i++)
            world.Send(i % 5, (i + 1) % 5, "r");
        world.Run(TimeSpan.FromSeconds(10));
        return world.Trace.Hash;
    }
}
