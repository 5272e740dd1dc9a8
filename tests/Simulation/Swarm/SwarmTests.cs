using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>docs/protocol.md#the-hunt: whole nodes, every seed another cluster and other faults; then calm.</summary>
public class SwarmTests
{
    private const int SeedsPerTest = 50;

    public static TheoryData<ulong> FirstSeeds =>
        [.. Seeds.Take(1000).Where(seed => Seeds.IsSingle || seed % SeedsPerTest == 1)];

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
    public void Some_runs_cut_tiles_and_forget_tombstones() =>
        Assert.Contains(Enumerable.Range(1, 100), seed =>
            SwarmRun.Of((ulong)seed).Tidied is { Cuts: > 1, Forgotten: > 10 });

    [Fact]
    public void The_same_seed_runs_the_same_way_twice_and_another_one_differently()
    {
        var hashes = Enumerable.Range(1, 10).Select(seed => SwarmRun.Of((ulong)seed).TraceHash).ToArray();
        Assert.Equal(hashes, Enumerable.Range(1, 10).Select(seed => SwarmRun.Of((ulong)seed).TraceHash));
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Fact]
    public void A_failure_begins_with_its_seed_and_ends_with_the_shortest_script_that_still_fails()
    {
        var run = Enumerable.Range(1, 100).Select(seed => SwarmRun.Of((ulong)seed, SwarmMistake.AnswersBeforeSync))
            .First(run => run.Fault is not null && run.Faults.Count() > 5);
        var text = run.Explain();
        Assert.StartsWith($"seed {run.Seed}: {run.Fault}", text, StringComparison.Ordinal);
        var script = text[text.LastIndexOf(" faults: ", StringComparison.Ordinal)..].Trim().Split('\n')[1..];
        Assert.InRange(script.Length, 0, run.Faults.Count() - 1);
        Assert.All(script, line => Assert.Contains(" s ", line, StringComparison.Ordinal));
        Assert.Equal(text, SwarmRun.Of(run.Seed, SwarmMistake.AnswersBeforeSync).Explain());
    }
}
