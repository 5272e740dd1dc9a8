using ChordChat.Core.Replication;
using Xunit;
using Xunit.Abstractions;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>docs/protocol.md#tombstones: over months nothing deleted comes back, nothing kept is lost, and nothing
/// is left in the end.</summary>
public class TombstoneWorldTests(ITestOutputHelper output)
{
    public static TheoryData<ulong> Seeds => [.. World.Seeds.Take(usual: 100)];

    [Theory, MemberData(nameof(Seeds))]
    public void Nothing_deleted_comes_back_and_no_tombstone_stays(ulong seed)
    {
        var world = new TombstoneWorld(seed);
        var fault = world.Run();
        Assert.True(fault is null, fault);
        Assert.NotEqual(0, world.ForgottenCount);
    }

    [Fact]
    public void A_late_message_that_is_taken_comes_back() =>
        AssertFound(ReplicaRules.Protocol with { LateIsRefused = false });

    [Fact]
    public void A_tombstone_that_a_majority_forgets_lets_its_message_back() =>
        AssertFound(ReplicaRules.Protocol with { ForgettingTakesAll = false });

    private void AssertFound(ReplicaRules rules)
    {
        for (var seed = 1UL; seed <= 200; seed++)
            if (new TombstoneWorld(seed, rules).Run() is { } fault)
            {
                Assert.Contains("is back", fault);
                output.WriteLine($"found by {fault.Split('\n')[0]}");
                return;
            }

        Assert.Fail("not found in 200 seeds");
    }
}
