using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>docs/protocol.md#the-hunt: whole nodes, every seed another cluster and other faults; then calm.</summary>
public class SwarmTests
{
    public static TheoryData<ulong> SeedsToRun => [.. Seeds.Take(500)];

    [Theory, MemberData(nameof(SeedsToRun))]
    public void Nothing_is_lost_or_forked_and_everything_recovers(ulong seed)
    {
        var cluster = new SwarmCluster(SwarmPlan.Draw(seed));
        var fault = cluster.Run();
        Assert.True(fault is null, cluster.World.Failure(fault ?? ""));
    }

    [Fact]
    public void The_same_seed_runs_the_same_way_twice_and_another_one_differently()
    {
        Assert.Equal(TraceHash(3), TraceHash(3));
        Assert.NotEqual(TraceHash(3), TraceHash(4));
    }

    private static ulong TraceHash(ulong seed)
    {
        var cluster = new SwarmCluster(SwarmPlan.Draw(seed));
        cluster.Run();
        return cluster.World.Trace.Hash;
    }
}
