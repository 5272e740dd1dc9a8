using Xunit;
using Xunit.Abstractions;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>Every rule of docs/protocol.md#planted-bugs is broken once, and the checkers must see it.</summary>
public class PlantedBugTests(ITestOutputHelper output)
{
    private const int SeedsMax = 3000;

    [Theory]
    [InlineData(PlantedBug.NoSealing)]
    [InlineData(PlantedBug.TransferFromOneMember)]
    [InlineData(PlantedBug.EpochNotCompared)]
    [InlineData(PlantedBug.LeaverDeletesAtOnce)]
    [InlineData(PlantedBug.LearnerVotesEarly)]
    [InlineData(PlantedBug.ConfigurationWithoutDecision)]
    public void A_planted_bug_is_found_by_random_worlds(PlantedBug bug)
    {
        for (var seed = 1UL; seed <= SeedsMax; seed++)
            if (new RandomCluster(seed, bug).Run() is { } fault)
            {
                output.WriteLine($"{bug} found by {fault.Split('\n')[0]}");
                return;
            }

        Assert.Fail($"{bug} was not found in {SeedsMax} seeds");
    }
}
