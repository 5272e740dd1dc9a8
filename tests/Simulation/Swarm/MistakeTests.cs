using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;
using Xunit.Abstractions;
using Prng = ChordChat.Tests.Simulation.World.Prng;
using Seeds = ChordChat.Tests.Simulation.World.Seeds;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>docs/protocol.md#ten-mistakes: each is made once, and the checkers must see it.</summary>
public class MistakeTests(ITestOutputHelper output)
{
    private const int SeedsMax = 1_600; // The rarest is found at seed 466; it stops at the first.

    [Theory]
    [InlineData(nameof(SwarmMistake.FoundsAlone))]
    [InlineData(nameof(SwarmMistake.RingDecides))]
    [InlineData(nameof(SwarmMistake.ReadThenWrite))]
    [InlineData(nameof(SwarmMistake.AnswersBeforeSync))]
    [InlineData(nameof(SwarmMistake.OneReplicaIsEnough))]
    [InlineData(nameof(SwarmMistake.IgnoresFailedSync))]
    [InlineData(nameof(SwarmMistake.DropsTombstones))]
    [InlineData(nameof(SwarmMistake.RetriesAnew))]
    [InlineData(nameof(SwarmMistake.HearsStrangers))]
    [InlineData(nameof(SwarmMistake.ReadsOneCopy))]
    [InlineData(nameof(SwarmMistake.TrustsCopies))]
    [InlineData(nameof(SwarmMistake.TokenIsNotCounted))]
    [InlineData(nameof(SwarmMistake.BelievesOneCopy))]
    public void A_mistake_is_found_by_the_swarm(string mistake) =>
        Find(mistake, seed => SwarmRun.Of(seed, Enum.Parse<SwarmMistake>(mistake)));

    [Fact]
    public void Old_copies_deleted_early_are_found_by_the_swarm() =>
        Find("leaver deletes", seed =>
            SwarmRun.Of(seed, rules: ReplicaRules.Protocol with { LeaversKeepRows = false }));

    [Fact]
    public void Learners_that_answer_early_are_found_by_the_swarm() =>
        Find("learner answers", seed => SwarmRun.Of(seed, rules: ReplicaRules.Protocol with { LearnersWait = false }));

    [Fact]
    public void Messages_that_are_taken_too_late_are_found_by_the_swarm() =>
        Find("late is taken", seed => SwarmRun.Of(seed, rules: ReplicaRules.Protocol with { LateIsRefused = false }));

    /// <summary>A fifth of all messages lost, and processes stopped for up to 30 s: nothing moves.
    /// To whom one miss is death, everything does.</summary>
    [Fact]
    public void Loss_and_pauses_move_no_tile_unless_one_miss_is_death()
    {
        Assert.All(Enumerable.Range(1, 20), seed => Assert.Equal((0, 0), Moved((ulong)seed, SwarmMistake.None)));
        Assert.Contains(Enumerable.Range(1, 20), seed => Moved((ulong)seed, SwarmMistake.MissIsDeath) != (0, 0));
    }

    private static (int Moves, long Bytes) Moved(ulong seed, SwarmMistake mistake)
    {
        var length = TimeSpan.FromMinutes(3);
        var random = new Prng(seed);
        var run = new SwarmRun(SwarmPlan.Draw(seed, mistake) with
        {
            Founders = 5,
            Length = length,
            StartWithin = TimeSpan.Zero,
            HasBeacons = true,
            Membership = MembershipOptions.Lan,
            Steward = StewardOptions.Default,
            Ring = new RingOptions(),
            Weather = Weather.Fine with { Loss = 0.2 },
            Aging = null,
            Script =
            [
                .. Enumerable.Range(1, 5).Select(i => new Fault(
                    TimeSpan.FromSeconds(30 * i), FaultKind.Pause, random.Next(),
                    random.Between(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(30)), 0)),
            ],
        });
        Assert.True(run.Fault is null || mistake != SwarmMistake.None, run.Fault);
        return (run.MoveCount, run.BytesMoved);
    }

    /// <summary>Stops at the first seed that finds it; with CHORDCHAT_SEEDS=n it counts all that do, and by
    /// what.</summary>
    private void Find(string mistake, Func<ulong, SwarmRun> run)
    {
        var counts = Seeds.IsCounted;
        var found = new List<(ulong Seed, string Checker)>();
        foreach (var seed in Seeds.Take(SeedsMax))
        {
            if (run(seed).Fault is not { } fault)
                continue;
            found.Add((seed, CheckerOf(fault)));
            if (found.Count == 1)
                output.WriteLine($"{mistake} found by seed {seed}: {fault.Split('\n')[0]}");
            if (!counts)
                return;
        }

        var checkers = found.GroupBy(one => one.Checker).OrderByDescending(by => by.Count())
            .Select(by => $"{by.Key} {by.Count()}");
        output.WriteLine($"{mistake}: {found.Count} seeds, the first {found.FirstOrDefault().Seed}; "
            + string.Join(", ", checkers));
        Assert.True(counts || found.Count > 0, $"{mistake} was not found");
    }

    /// <summary>Which checker speaks so.</summary>
    private static string CheckerOf(string fault)
    {
        bool Says(string text) => fault.Contains(text, StringComparison.Ordinal);
        return fault switch
        {
            ['E', '1' or '2' or '3' or '4', ..] => fault[..2],
            _ when Says("recovered") || Says("healed") => "recovery",
            _ when Says("acct/name") => "names",
            _ when Says("acct/") => "registers",
            _ when Says("mbox/") => "mailboxes",
            _ => fault[..Math.Min(fault.Length, 30)],
        };
    }
}
