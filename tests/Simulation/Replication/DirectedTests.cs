using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>Schedules that thousands of random seeds do not find. docs/protocol.md#planted-bugs.</summary>
public class DirectedTests
{
    /// <summary>Two unfinished appends reach different members; the new members copy different majorities. A value
    /// that came so may look agreed although a rival with a larger ballot sleeps at another new member.</summary>
    [Fact]
    public void A_fast_read_returns_only_what_this_epoch_has_accepted()
    {
        var (read, appended) = ReadThenAppend(ReplicaRules.Protocol);
        Assert.True(appended.AsSpan().StartsWith(read), Lists(read, appended));
    }

    [Fact]
    public void Without_that_rule_a_read_and_the_next_append_fork()
    {
        var (read, appended) = ReadThenAppend(ReplicaRules.Protocol with { FastReadsCompareEpoch = false });
        Assert.False(appended.AsSpan().StartsWith(read), Lists(read, appended));
    }

    /// <summary>Two proposers share one acceptor, B, which promised the second one. If it forgets, both are
    /// stored.</summary>
    [Fact]
    public void A_promise_outlives_a_restart()
    {
        var (first, second) = AppendAroundRestart(forget: false);
        Assert.Null(first.Outcome);
        Assert.IsType<RegisterChangeOutcome.Stored>(second.Outcome);
    }

    [Fact]
    public void A_forgotten_promise_loses_a_stored_append()
    {
        var (first, second) = AppendAroundRestart(forget: true);
        var one = Assert.IsType<RegisterChangeOutcome.Stored>(first.Outcome).Value;
        var other = Assert.IsType<RegisterChangeOutcome.Stored>(second.Outcome).Value;
        Assert.Equal([1, 2], History.Entries(one.Span));
        Assert.Equal([1, 3], History.Entries(other.Span));
    }

    /// <summary>Member 1 has a row with a flipped bit that nobody has read yet, and leaves while the newcomer of the
    /// last change, node 3, learns on a slow disk: then only node 0 has a whole copy, and one is no majority of the
    /// three that there were.</summary>
    [Fact]
    public void A_leaver_with_a_damaged_row_goes_only_when_the_newcomers_are_complete() =>
        Assert.Equal(3, ActiveAfterLeaving(waits: true));

    [Fact]
    public void A_leaver_that_does_not_wait_for_them_may_leave_too_few_copies() =>
        Assert.Equal(0, ActiveAfterLeaving(waits: false));

    /// <summary>How many members are active in the end.</summary>
    /// <param name="waits">Whether the steward waits for newcomers that learn.</param>
    private static int ActiveAfterLeaving(bool waits)
    {
        var bench = new Workbench(5);
        var append = bench.Append(bench.Genesis, node: 0, round: 0, entry: 1);
        bench.Finish(append, Workbench.Begin(append), 0, 1, 2);
        Change(bench, bench.Genesis, 0, 1, 3);
        Learn(bench, 0, 1);
        Learn(bench, 1, 0);
        bench.Damage(1);

        var (steward, slow) = (new Steward(bench.Ids[0], StewardOptions.Default), true);
        var outlook = new TileOutlook([bench.Ids[0], bench.Ids[3], bench.Ids[4]], new HashSet<NodeId> { bench.Ids[1] })
        {
            Leaving = new HashSet<NodeId> { bench.Ids[1] },
        };
        for (var nowMs = 0; ; nowMs += 500)
        {
            var header = bench[0].Header(Workbench.Tile)!;
            var action = steward.Decide(header, outlook, nowMs);
            if (action is StewardAction.Change(var wanted))
            {
                Change(bench, header.Configuration, [.. wanted.Select(node => bench.Ids.IndexOf(node))]);
                break;
            }

            if (nowMs >= 10_000 && slow)
                slow = !TryLearn(bench, 3);
            if (action is not StewardAction.Announce)
                continue;
            var announcement = new Announcement(bench.Ids[0], header, CoordinatorOptions.Default)
            {
                IsLate = !waits,
            };
            Run(bench, announcement);
            if (!announcement.IsDone)
                announcement.OnTimeout();
            steward.Hear(announcement, nowMs);
        }

        for (var round = 0; round < 3; round++)
            foreach (var node in (int[])[3, 4, 0])
                TryLearn(bench, node);
        return Enumerable.Range(0, 5).Count(node => bench[node].Header(Workbench.Tile) is { Phase: TilePhase.Active });
    }

    /// <summary>Only node 0 announces here, so the others are not asked whether the epoch may end.</summary>
    private static void Change(Workbench bench, TileConfiguration from, params int[] to)
    {
        var wanted = to.Select(node => bench.Ids[node]);
        Run(bench, new EpochChange(
            from, [.. wanted], new BallotSource(bench.Ids[0], 1), CoordinatorOptions.Default, 1)
        {
            Rules = ReplicaRules.Protocol with { MembersAreAsked = false },
        });
    }

    /// <summary>Learns as its steward would let it, if it has something to learn; the timer rings twice.</summary>
    private static bool TryLearn(Workbench bench, int node)
    {
        var header = bench[node].Header(Workbench.Tile);
        if (header is not ({ Phase: TilePhase.Learning } or { Phase: TilePhase.Sealed, Pending: not null })
            || !header.Newest.Contains(bench.Ids[node]))
            return false;
        var learner = new Learner(bench.Ids[node], header, CoordinatorOptions.Default, 1);
        Run(bench, learner);
        for (var ringing = 0; ringing < 2 && !learner.IsDone; ringing++)
            bench.Finish(learner, [.. learner.OnTimeout().OfType<Effect.Send>()], 0, 1, 2, 3, 4);
        return learner.Outcome is LearnerOutcome.Activated;
    }

    private static void Run(Workbench bench, Coordinator coordinator) =>
        bench.Finish(coordinator, Workbench.Begin(coordinator), 0, 1, 2, 3, 4);

    private static (uint[] Read, uint[] Appended) ReadThenAppend(ReplicaRules rules)
    {
        var bench = new Workbench(6, rules);
        var old = bench.Genesis; // A, B, C are nodes 0 to 2; the new members are 3 to 5.
        var first = bench.Append(old, node: 0, round: 0, entry: 1);
        bench.Finish(first, Workbench.Begin(first), 0, 1, 2);
        var atB = bench.Append(old, node: 0, round: 10, entry: 2);
        bench.Pass(atB, bench.Pass(atB, Workbench.Begin(atB), 1, 2), 1);
        var atA = bench.Append(old, node: 2, round: 20, entry: 3);
        bench.Pass(atA, bench.Pass(atA, Workbench.Begin(atA), 0, 2), 0);

        var next = bench.Configuration(2, 3, 4, 5);
        var change = new EpochChange(
            old, next.Members, new BallotSource(bench.Ids[5], 1), CoordinatorOptions.Default, 1);
        bench.Finish(change, Workbench.Begin(change), 0, 1, 2, 3, 4, 5);
        Learn(bench, 3, 0, 1);
        Learn(bench, 4, 1, 2);
        Learn(bench, 5, 1, 2);

        var read = bench.Read(next, node: 4, round: 0);
        bench.Finish(read, Workbench.Begin(read), 4, 5);
        var append = bench.Append(next, node: 3, round: 50, entry: 6);
        bench.Finish(append, Workbench.Begin(append), 3, 4);
        var seen = Assert.IsType<RegisterReadOutcome.Agreed>(read.Outcome).Value;
        var stored = Assert.IsType<RegisterChangeOutcome.Stored>(append.Outcome).Value;
        return (History.Entries(seen.Span), History.Entries(stored.Span));
    }

    /// <summary>Lets a new member copy from exactly these two of the old ones.</summary>
    private static void Learn(Workbench bench, int node, params int[] from)
    {
        var learner = new Learner(bench.Ids[node], bench[node].Header(Workbench.Tile)!, CoordinatorOptions.Default, 1);
        var sends = Workbench.Begin(learner);
        foreach (var other in sends.Where(send => !from.Contains(bench.Ids.IndexOf(send.To))).ToArray())
            sends = [.. sends, .. learner.OnUnreachable(other.To, other.Request).OfType<Effect.Send>()];
        bench.Finish(learner, sends, [node, .. from]);
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
    }

    private static (RegisterChange First, RegisterChange Second) AppendAroundRestart(bool forget)
    {
        var bench = new Workbench(5);
        var start = bench.Append(bench.Genesis, node: 3, round: 0, entry: 1);
        bench.Finish(start, Workbench.Begin(start), 0, 1, 2);
        var first = bench.Append(bench.Genesis, node: 3, round: 10, entry: 2);
        var firstAccepts = bench.Pass(first, Workbench.Begin(first), 0, 1);
        var second = bench.Append(bench.Genesis, node: 4, round: 20, entry: 3);
        var secondAccepts = bench.Pass(second, Workbench.Begin(second), 1, 2);
        if (forget)
            bench.RestartForgettingPromises(1);
        bench.Pass(first, firstAccepts, 0, 1);
        bench.Pass(second, secondAccepts, 1, 2);
        return (first, second);
    }

    private static string Lists(uint[] read, uint[] appended) =>
        $"read [{string.Join(' ', read)}], then [{string.Join(' ', appended)}]";
}
