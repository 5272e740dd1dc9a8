using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>docs/protocol.md#the-hunt: whole nodes, every seed another cluster and other faults; then calm.</summary>
public class SwarmTests
{
    private const int SeedsPerTest = 50;

    public static TheoryData<ulong> FirstSeeds => [.. Seeds.Take(1000).Where(seed => Seeds.IsSingle || seed % SeedsPerTest == 1)];

    [Theory, MemberData(nameof(FirstSeeds))]
    public void Nothing_is_lost_or_forked_and_everything_recovers(ulong first)
    {
        for (var seed = first; seed < first + (Seeds.IsSingle ? 1UL : SeedsPerTest); seed++)
        {
            var run = SwarmRun.Of(seed);
            Assert.True(run.Fault is null, run.Fault is null ? "" : run.Explain());
        }
    }

    [Fact]
    public void The_same_seed_runs_the_same_way_twice_and_another_one_differently()
    {
        Assert.Equal(SwarmRun.Of(3).TraceHash, SwarmRun.Of(3).TraceHash);
        Assert.NotEqual(SwarmRun.Of(3).TraceHash, SwarmRun.Of(4).TraceHash);
    }
}
