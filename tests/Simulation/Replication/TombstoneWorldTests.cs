using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
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

    /// <summary>docs/protocol.md#tombstone-limit: it is for what is new, never for what was kept or deleted.</summary>
    [Fact]
    public void With_few_tombstones_allowed_nothing_comes_back_or_is_lost_and_there_is_room_again_in_the_end()
    {
        var refused = 0;
        foreach (var seed in World.Seeds.Take(usual: 100))
        {
            var world = new TombstoneWorld(seed, limits: SetLimits.Default with { TombstoneCountMax = 3 });
            var fault = world.Run();
            Assert.True(fault is null, fault);
            refused += world.RefusedCount;
        }

        Assert.NotEqual(0, refused);
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
