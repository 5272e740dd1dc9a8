using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#steward.</summary>
public class StewardTests
{
    private static readonly ImmutableArray<NodeId> Ids =
        [.. Enumerable.Range(1, 5).Select(i => new NodeId((UInt128)(ulong)i, 0))];

    private static readonly ImmutableHashSet<NodeId> Nobody = [];
    private static readonly TileConfiguration Now = new(new TileId(7, 1), 0, 3, Ids[..3]);
    private static readonly TileHeader Active = new(Now, TilePhase.Active);
    private static readonly TileHeader Untold = Active with { Previous = Now with { Epoch = 2 } };
    private static readonly TileOutlook Calm = new(Ids[..3], ImmutableHashSet<NodeId>.Empty);
    private static readonly TileOutlook FirstIsDead = new(Ids[1..4], ImmutableHashSet.Create(Ids[0]));

    [Fact]
    public void The_first_living_member_replaces_a_dead_one_and_the_next_waits_two_seconds()
    {
        Assert.Equal(500, FirstChange(1, Active, FirstIsDead));
        Assert.Equal(2500, FirstChange(2, Active, FirstIsDead));
    }

    [Fact]
    public void A_member_that_leaves_acts_only_when_all_others_had_their_turn() =>
        Assert.Equal(4500, FirstChange(0, Active, FirstIsDead));

    /// <summary>docs/protocol.md#one-change-at-a-time: two seconds, and two for each other member, later all of them
    /// know that it may be.</summary>
    [Fact]
    public void No_change_begins_before_all_know_that_the_members_are_complete()
    {
        var leaves = FirstIsDead with { Leaving = ImmutableHashSet.Create(Ids[0]) };
        Assert.Equal(500, FirstChange(1, Active, leaves));
        Assert.Null(FirstChange(1, Untold, leaves));
        Assert.Null(FirstChange(1, Untold, FirstIsDead));
        Assert.Equal(26_000, FirstChange(1, Untold, FirstIsDead, toldAt: 20_000));
    }

    [Fact]
    public void A_tile_that_is_settled_while_it_is_watched_waits_until_others_have_settled_it_too()
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        steward.Decide(Untold, FirstIsDead, 0);
        Assert.IsNotType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 10_000));
        Assert.IsNotType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 15_999));
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 16_000));
    }

    /// <summary>What was settled is the epoch before the one that it takes part in next.</summary>
    [Fact]
    public void Whoever_starts_between_two_epochs_tells_the_others_of_the_second_one_before_it_ends_it()
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        var next = Now.Next(Now.Members);
        steward.Decide(new(Now, TilePhase.Sealed, Pending: next), FirstIsDead, 0);
        var active = new TileHeader(next, TilePhase.Active, Previous: Now);
        var actions = Enumerable.Range(1, 60).Select(i => steward.Decide(active, FirstIsDead, i * 1_000)).ToList();
        Assert.DoesNotContain(actions, action => action is StewardAction.Change);
        Assert.Contains(actions, action => action is StewardAction.Announce);
    }

    /// <summary>A newcomer that hears only later which configuration was before its own.</summary>
    [Fact]
    public void Whoever_learns_late_what_was_before_tells_the_others_of_its_epoch_before_it_ends_it()
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        steward.Decide(new(Now, TilePhase.Learning), FirstIsDead, 0);
        steward.Decide(Untold with { Phase = TilePhase.Learning }, FirstIsDead, 500);
        var actions = Enumerable.Range(1, 60).Select(i => steward.Decide(Untold, FirstIsDead, i * 1_000)).ToList();
        Assert.DoesNotContain(actions, action => action is StewardAction.Change);
        Assert.Contains(actions, action => action is StewardAction.Announce);
    }

    [Fact]
    public void A_member_that_has_left_is_replaced_when_it_stays_away() =>
        Assert.Equal(10_000, FirstChange(1, Active, new(Ids[1..4], Nobody, ImmutableHashSet.Create(Ids[0]))));

    [Fact]
    public void Members_that_have_left_make_no_majority() => Assert.Null(
        FirstChange(2, Active, new(Ids[2..5], Nobody, ImmutableHashSet.Create(Ids[0], Ids[1]))));

    [Fact]
    public void A_change_that_has_to_wait_for_its_turn_is_not_counted_as_a_try()
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        steward.Decide(Active, FirstIsDead, 0);
        Assert.IsNotType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 500, mayChange: false));
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 600));
    }

    [Fact]
    public void A_newcomer_is_taken_in_after_ten_seconds_of_quiet() =>
        Assert.Equal(10_000, FirstChange(0, Active, Calm with { Preferred = Ids[..2].Add(Ids[3]) }));

    [Fact]
    public void A_tile_in_order_is_left_alone() => Assert.Null(FirstChange(0, Active, Calm));

    [Fact]
    public void Another_order_of_the_same_members_is_no_reason() =>
        Assert.Null(FirstChange(0, Active, Calm with { Preferred = [Ids[2], Ids[1], Ids[0]] }));

    [Fact]
    public void A_tile_never_shrinks_by_itself() =>
        Assert.Null(FirstChange(1, Active, FirstIsDead with { Preferred = Ids[1..3] }));

    [Fact]
    public void Without_a_living_majority_nothing_is_sealed() => Assert.Null(
        FirstChange(2, Active, new TileOutlook(Ids[2..5], ImmutableHashSet.Create(Ids[0], Ids[1]))));

    [Fact]
    public void A_sealed_tile_is_taken_over_after_a_second_and_by_the_next_two_seconds_later()
    {
        var header = Active with { Phase = TilePhase.Sealed };
        Assert.Equal(1000, FirstChange(0, header, Calm));
        Assert.Equal(3000, FirstChange(1, header, Calm));
    }

    [Fact]
    public void A_change_that_failed_is_not_tried_again_at_once()
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        steward.Decide(Active, FirstIsDead, 0);
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 500));
        Assert.IsNotType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 1000));
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, FirstIsDead, 5500));
    }

    [Fact]
    public void Who_joins_learns_and_who_leaves_announces()
    {
        var next = Now.Next(Ids[1..4]);
        var leaver = Active with { Phase = TilePhase.Sealed, Pending = next };
        Assert.IsType<StewardAction.Announce>(new Steward(Ids[0], StewardOptions.Default).Decide(leaver, Calm, 0));
        Assert.IsType<StewardAction.Learn>(new Steward(Ids[1], StewardOptions.Default).Decide(leaver, Calm, 0));
        var learner = new TileHeader(next, TilePhase.Learning, Previous: Now);
        Assert.IsType<StewardAction.Learn>(new Steward(Ids[3], StewardOptions.Default).Decide(learner, Calm, 0));
        var retired = new TileHeader(next, TilePhase.Retired);
        Assert.IsType<StewardAction.None>(new Steward(Ids[0], StewardOptions.Default).Decide(retired, Calm, 0));
    }

    [Fact]
    public void A_member_that_cannot_be_told_of_the_last_change_does_not_hold_up_the_next()
    {
        Assert.NotNull(FirstChange(0, Untold, Calm with { Preferred = Ids[..2].Add(Ids[3]) }, toldAt: 1_000));
    }

    [Fact]
    public void Members_that_leave_still_make_the_majority_that_replaces_them()
    {
        var outlook = new TileOutlook(Ids[2..5], ImmutableHashSet.Create(Ids[0], Ids[1]));
        Assert.Null(FirstChange(2, Active, outlook));
        Assert.NotNull(FirstChange(2, Active, outlook with { Leaving = ImmutableHashSet.Create(Ids[1]) }));
    }

    [Fact]
    public void A_sealed_member_goes_on_telling_those_who_may_not_have_heard_of_its_epoch()
    {
        var header = Active with { Phase = TilePhase.Sealed, Previous = Now with { Epoch = 2 } };
        var steward = new Steward(Ids[0], StewardOptions.Default);
        Assert.IsType<StewardAction.Announce>(steward.Decide(header, Calm, 0));
        Assert.IsType<StewardAction.Change>(steward.Decide(header, Calm, 1000));
    }

    [Fact]
    public void A_majority_that_has_the_rows_stays_through_every_step()
    {
        var other = new NodeId(6, 0);
        Assert.Equal([Ids[3], Ids[0], Ids[1]], Step(Calm with { Preferred = [Ids[3], Ids[4], other] }));
        Assert.Equal([Ids[3], Ids[2], Ids[0]], Step(Calm with { Preferred = [Ids[3], Ids[2], other] }));
        Assert.Equal([Ids[3], Ids[1], Ids[2]], Step(Calm with
        {
            Preferred = [Ids[3], Ids[4], other],
            Unwanted = ImmutableHashSet.Create(Ids[0]),
        }));
        Assert.Equal([.. Ids[1..4]], Step(FirstIsDead));
    }

    [Fact]
    public void The_next_step_waits_until_the_last_newcomer_is_complete()
    {
        var towards = Calm with { Preferred = Ids[2..5] };
        var steward = new Steward(Ids[0], StewardOptions.Default);
        for (var now = 0L; now < 60_000; now += 500)
            Assert.IsNotType<StewardAction.Change>(steward.Decide(Untold, towards, now));
        Assert.IsNotType<StewardAction.Change>(steward.Decide(Active, towards, 60_000));
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, towards, 66_000));
    }

    private static NodeId[] Step(TileOutlook outlook)
    {
        var steward = new Steward(Ids[1], StewardOptions.Default);
        for (var now = 0L; ; now += 500)
            if (steward.Decide(Active, outlook, now) is StewardAction.Change { Wanted: var wanted })
                return [.. wanted];
    }

    /// <summary>docs/protocol.md#tile-split.</summary>
    [Fact]
    public void A_tile_that_is_too_big_is_cut_after_ten_seconds_when_nothing_else_is_to_be_done()
    {
        var big = Calm with { IsTooBig = true };
        Assert.Equal(10_000, FirstAction<StewardAction.Cut>(0, Active, big));
        Assert.Equal(12_000, FirstAction<StewardAction.Cut>(1, Active, big));
        Assert.Null(FirstAction<StewardAction.Cut>(0, Active, Calm));
        Assert.Null(FirstAction<StewardAction.Cut>(0, Active with { Previous = Now }, big));
        Assert.Null(FirstAction<StewardAction.Cut>(1, Active, FirstIsDead with { IsTooBig = true }));
        Assert.Null(FirstAction<StewardAction.Cut>(0, Active, big with { Preferred = Ids[..2].Add(Ids[3]) }));
        var narrow = Active with { Configuration = Now with { Tile = new(TileId.BitsMax, 1) } };
        Assert.Null(FirstAction<StewardAction.Cut>(0, narrow, big));
    }

    /// <summary>docs/protocol.md#tile-split: while only some nodes have a new setting, the others refuse the cut, and
    /// each try is a pause.</summary>
    [Fact]
    public void A_cut_that_others_refuse_is_tried_again_after_ten_minutes()
    {
        var tries = Refused<StewardAction.Cut>(Calm with { IsTooBig = true }, 1_300_000);
        Assert.Equal([10_000, 610_000, 1_210_000], tries);
    }

    /// <summary>docs/protocol.md#refused-changes: only the proposer reaches the newcomer, so the others end each epoch
    /// without it.</summary>
    [Fact]
    public void Newcomers_that_others_refuse_are_proposed_again_after_twice_the_time_up_to_ten_minutes()
    {
        var tries = Refused<StewardAction.Change>(Calm with { Preferred = Ids[..2].Add(Ids[3]) }, 2_000_000);
        Assert.Equal([10_000, 30_000, 70_000, 150_000, 310_000, 630_000, 1_230_000, 1_830_000], tries);
    }

    /// <summary>docs/protocol.md#refused-changes: one for a dead member is first proposed after 500 ms.</summary>
    [Fact]
    public void A_dead_member_does_not_hurry_a_newcomer_that_others_refuse()
    {
        var outlook = new TileOutlook([Ids[0], Ids[1], Ids[3]], ImmutableHashSet.Create(Ids[2]));
        Assert.Equal([500, 20_500, 60_500], Refused<StewardAction.Change>(outlook, 100_000));
    }

    /// <summary>docs/protocol.md#refused-changes.</summary>
    [Fact]
    public void Other_newcomers_and_those_that_were_taken_in_do_not_wait_for_what_was_refused()
    {
        var first = Calm with { Preferred = Ids[..2].Add(Ids[3]) };
        var steward = new Steward(Ids[0], StewardOptions.Default);
        var header = Active;
        Assert.Equal(10_000, Propose(first, 0));
        Go(Now.Members);
        Assert.Equal(21_000, Propose(Calm with { Preferred = Ids[..2].Add(Ids[4]) }, 11_000));
        Go(Now.Members);
        Assert.Equal(32_000, Propose(first, 22_000)); // The others were refused last.
        Go(Now.Members);
        Assert.Equal(52_000, Propose(first, 33_000));
        Go([.. Ids[..2], Ids[3]]);
        Assert.IsNotType<StewardAction.Change>(steward.Decide(header, first, 52_500));
        Go(Now.Members);
        Assert.Equal(59_000, Propose(first, 53_000)); // The others must know that all are complete.

        long Propose(TileOutlook outlook, long now)
        {
            while (steward.Decide(header, outlook, now) is not StewardAction.Change)
                now += 500;
            return now;
        }

        void Go(ImmutableArray<NodeId> members) =>
            header = Active with { Configuration = header.Configuration.Next(members) };
    }

    /// <summary>docs/protocol.md#refused-changes: a tile that waits goes on with the members that there are.</summary>
    [Fact]
    public void A_take_over_brings_in_nobody_who_was_refused_just_now()
    {
        var steward = new Steward(Ids[0], StewardOptions.Default);
        var outlook = Calm with { Preferred = Ids[..2].Add(Ids[3]) };
        steward.Decide(Active, outlook, 0);
        Assert.IsType<StewardAction.Change>(steward.Decide(Active, outlook, 10_000));
        var header = Active with
        {
            Configuration = Now.Next(Now.Members),
            Phase = TilePhase.Sealed,
        };
        Assert.IsType<StewardAction.None>(steward.Decide(header, outlook, 11_000));
        var change = Assert.IsType<StewardAction.Change>(steward.Decide(header, outlook, 12_000));
        Assert.Equal(Now.Members, change.Wanted);
    }

    /// <summary>docs/protocol.md#tile-split.</summary>
    [Theory, InlineData(7, 8, false), InlineData(7, 9, true), InlineData(8, 16, false), InlineData(8, 17, true)]
    public void Fewer_tiles_than_wanted_for_each_node_are_too_few(int bits, int nodes, bool expected)
    {
        Assert.Equal(expected, StewardOptions.Default.IsTooWide(new(bits, 0), nodes));
        Assert.False(new StewardOptions { SplitPerNode = 0 }.IsTooWide(new(bits, 0), nodes));
    }

    /// <summary>What the first member tries, when each epoch ends with the members of now.</summary>
    private static List<long> Refused<T>(TileOutlook outlook, long until)
        where T : StewardAction
    {
        var (steward, tries) = (new Steward(Ids[0], StewardOptions.Default), new List<long>());
        var header = Active;
        for (var now = 0L; now <= until; now += 500)
            if (steward.Decide(header, outlook, now) is T)
            {
                tries.Add(now);
                header = Active with { Configuration = header.Configuration.Next(header.Configuration.Members) };
            }

        return tries;
    }

    /// <summary>When within two minutes a member first starts a change; null: never.</summary>
    /// <param name="toldAt">When it hears that all others are complete or not there.</param>
    private static long? FirstChange(int member, TileHeader header, TileOutlook outlook, long? toldAt = null) =>
        FirstAction<StewardAction.Change>(member, header, outlook, toldAt);

    private static long? FirstAction<T>(int member, TileHeader header, TileOutlook outlook, long? toldAt = null)
        where T : StewardAction
    {
        var steward = new Steward(Ids[member], StewardOptions.Default);
        for (var now = 0L; now <= 120_000; now += 500)
        {
            if (steward.Decide(header, outlook, now) is T)
                return now;
            if (now == toldAt)
                steward.Hear(ToNobody(Ids[member], header), now);
        }

        return null;
    }

    /// <summary>An announcement by which nobody else is there.</summary>
    private static Announcement ToNobody(NodeId self, TileHeader header)
    {
        var announcement = new Announcement(self, header, CoordinatorOptions.Default)
        {
            Answers = node => node == self,
        };
        announcement.Start();
        announcement.OnTimeout();
        return announcement;
    }
}
