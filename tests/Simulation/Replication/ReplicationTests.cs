using Xunit;

namespace ChordChat.Tests.Simulation.Replication;

public class ReplicationTests
{
    public static TheoryData<ulong> Seeds => [.. World.Seeds.Take(usual: 300)];

    /// <summary>docs/protocol.md#why-it-is-safe.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void Nothing_forks_nothing_is_lost_and_all_recovers(ulong seed)
    {
        var fault = new RandomCluster(seed).Run();
        Assert.True(fault is null, fault);
    }

    [Fact]
    public void The_same_seed_runs_the_same_way_twice()
    {
        var (first, second) = (new RandomCluster(5), new RandomCluster(5));
        Assert.Equal(first.Run(), second.Run());
        Assert.Equal(first.TraceHash, second.TraceHash);
    }
}
