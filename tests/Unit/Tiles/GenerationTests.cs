using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#generations: members 0, 1 and 2 keep a tile, 1 and 2 are gone, 0 and 3 and 4 go
/// on.</summary>
public class GenerationTests
{
    private readonly Bench _bench = new();

    private TileConfiguration Survivors(params int[] nodes) => _bench.Now with { Members = [.. nodes.Select(Id)] };

    private TileConfiguration Next(params int[] nodes) =>
        new(Tile, 1, 2, [.. nodes.Select(Id)]);

    private ChordChat.Core.Ring.NodeId Id(int node) => _bench.Ids[node];

    [Fact]
    public void A_survivor_is_sealed_keeps_its_rows_and_answers_its_old_generation_never_again()
    {
        Add(0, _bench.Now, 1);
        Order(0, Next(3, 4), Survivors(0));

        var header = _bench.Replicas[0].Header(Tile)!;
        Assert.Equal((TilePhase.Sealed, Next(3, 4), Survivors(0)), (header.Phase, header.Newest, header.BeforeNewest));
        var at = _bench.Now.At;
        var later = at with { Epoch = 2 };
        foreach (var request in (ReplicaRequest[])[
            new ReplicaRequest.Add(at, "m", new MessageId(9), Bytes("x")), new ReplicaRequest.Peek(at, "k"),
            new ReplicaRequest.Seal(at, _bench.Ballots.Next(1, default)), new ReplicaRequest.Pull(at, default, 1),
            new ReplicaRequest.Pull(later, default, 1),
            new ReplicaRequest.Decide(at, _bench.Ballots.Next(1, default), _bench.Now.Next([Id(0), Id(3), Id(4)])),
        ])
            Assert.Equal(new ReplicaReply.Stale(Next(3, 4), Survivors(0)), _bench.Ask(0, request));
        Assert.Single(Pull(0, Next(3, 4)).Page.Entries);
        Assert.Equal(header, new Replica(Id(0), _bench.Stores[0]).Header(Tile));
    }

    [Fact]
    public void A_lost_member_that_comes_back_gives_no_row_to_the_new_generation()
    {
        Add(1, _bench.Now, 1);
        Add(2, _bench.Now, 1);
        Order(1, Next(0, 1, 3), Survivors(0));
        Order(2, Next(0, 1, 3), Survivors(0));

        Assert.Equal(TilePhase.Learning, _bench.Replicas[1].Header(Tile)!.Phase);
        Assert.Equal(TilePhase.Retired, _bench.Replicas[2].Header(Tile)!.Phase);
        foreach (var node in (int[])[1, 2])
        {
            Assert.Empty(_bench.Stores[node].ReadPage(Tile, default, 1000).Entries);
            Assert.IsNotType<ReplicaReply.Pulled>(
                _bench.Ask(node, new ReplicaRequest.Pull(Next(0, 1, 3).At, default, 1000)));
        }
    }

    [Fact]
    public void Who_hears_of_the_order_from_one_that_retired_still_hears_who_the_survivors_are()
    {
        Order(2, Next(0, 3, 4), Survivors(0));
        var stale = Assert.IsType<ReplicaReply.Stale>(_bench.Ask(2, new ReplicaRequest.Peek(_bench.Now.At, "k")));
        Assert.Equal(Survivors(0), stale.Previous);
    }

    [Fact]
    public void No_copy_is_compared_or_mended_between_generations()
    {
        Add(0, _bench.Now, 1);
        Add(1, _bench.Now, 2); // Never to be seen in the new generation, for its disk is said to be gone.
        var (old, next) = (_bench.Now.At, Next(0, 3, 4));
        foreach (var node in (int[])[0, 3, 4])
            Order(node, next, Survivors(0));
        var page = _bench.Stores[1].ReadPage(Tile, default, 1000);
        var (all, sums) = (Buckets(), Enumerable.Repeat(UInt128.One, 256).ToImmutableArray());

        foreach (var request in (ReplicaRequest[])[
            new ReplicaRequest.Summarize(old), new ReplicaRequest.ListRows(old, sums, default),
            new ReplicaRequest.Missing(old, all, default, null, []), new ReplicaRequest.Mend(old, page),
        ])
            Assert.Equal(new ReplicaReply.Stale(next, Survivors(0)), _bench.Ask(0, request));
        Assert.Empty(Compare(0, old));
        Assert.Empty(Compare(0, next.At)); // It is sealed for that one until it is active in it.

        foreach (var node in (int[])[0, 3, 4])
            Learn(node);
        foreach (var (asker, other, at) in ((int, int, TileConfiguration)[])[(3, 1, next), (1, 3, _bench.Now)])
        {
            Assert.Empty(Compare(other, at.At));
            var repair = new TileRepair(Id(asker), Id(other), at, sums, CoordinatorOptions.Default);
            _bench.Run(repair);
            Assert.Equal(0, repair.FetchedCount);
        }

        Assert.Single(_bench.Stores[3].ReadPage(Tile, default, 1000).Entries);
        Assert.Single(_bench.Stores[1].ReadPage(Tile, default, 1000).Entries);
    }

    [Fact]
    public void A_learner_needs_all_survivors_and_unites_what_they_have()
    {
        Add(0, _bench.Now, 1);
        Add(1, _bench.Now, 2);
        var (next, survivors) = (Next(2, 3, 4), Survivors(0, 1));
        Order(3, next, survivors);
        _bench.Deaf.Add(1);
        Assert.IsType<LearnerOutcome.Stalled>(Learn(3));
        Assert.Equal(TilePhase.Learning, _bench.Replicas[3].Header(Tile)!.Phase);

        _bench.Deaf.Clear();
        Assert.IsType<LearnerOutcome.Activated>(Learn(3)); // The survivors hear of the order from the learner.
        Assert.Equal(2, _bench.Stores[3].ReadPage(Tile, default, 1000).Entries.Length);
    }

    [Fact]
    public void Survivors_that_went_on_before_their_order_came_compare_and_unite_all_that_they_have()
    {
        Add(0, _bench.Now, 1);
        var on = _bench.Now.Next(_bench.Now.Members);
        foreach (var node in (int[])[0, 1])
            Order(node, on, _bench.Now);
        foreach (var node in (int[])[0, 1])
            Assert.IsType<LearnerOutcome.Activated>(Learn(node));
        Add(1, on, 2);
        var (next, survivors) = (Next(0, 1, 3), Survivors(0, 1)); // Of what the operator has seen before.
        foreach (var node in (int[])[0, 1, 3])
            Order(node, next, survivors);
        _bench.Sent.Clear();
        Assert.IsType<LearnerOutcome.Activated>(Learn(0));
        Assert.All(
            _bench.Sent.Select(sent => sent.Request).OfType<ReplicaRequest.Pull>(),
            pull => Assert.False(pull.Theirs.IsDefault)); // It has looked at its own rows.
        foreach (var node in (int[])[1, 3])
            Assert.IsType<LearnerOutcome.Activated>(Learn(node));
        Assert.All((int[])[0, 1, 3], node =>
            Assert.Equal(2, _bench.Stores[node].ReadPage(Tile, default, 1000).Entries.Length));
    }

    [Fact]
    public void One_survivor_alone_goes_on_with_what_it_has_and_two_new_members_copy_it()
    {
        Add(0, _bench.Now, 1);
        var next = Next(0, 3, 4);
        foreach (var node in (int[])[0, 3, 4])
            Order(node, next, Survivors(0));
        foreach (var node in (int[])[0, 3, 4])
            Assert.IsType<LearnerOutcome.Activated>(Learn(node));

        _bench.Deaf.UnionWith([1, 2]);
        var add = new SetAdd(next, "m", Message(7), CoordinatorOptions.Default, 1);
        _bench.Run(add);
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
        Assert.All((int[])[0, 3, 4], node =>
            Assert.Equal(2, _bench.Stores[node].ReadPage(Tile, default, 1000).Entries.Length));
    }

    [Fact]
    public void A_generation_may_begin_with_nothing()
    {
        Order(3, Next(3), Survivors());
        Assert.IsType<LearnerOutcome.Activated>(Learn(3));
    }

    [Fact]
    public void A_survivor_that_is_no_member_retires_when_a_majority_is_active()
    {
        Order(0, Next(3), Survivors(0));
        Order(3, Next(3), Survivors(0));
        var early = new Announcement(Id(0), _bench.Replicas[0].Header(Tile)!, CoordinatorOptions.Default);
        _bench.Run(early);
        Assert.Equal(TilePhase.Sealed, _bench.Replicas[0].Header(Tile)!.Phase);

        Learn(3);
        _bench.Run(new Announcement(Id(0), _bench.Replicas[0].Header(Tile)!, CoordinatorOptions.Default));
        Assert.Equal(TilePhase.Retired, _bench.Replicas[0].Header(Tile)!.Phase);
    }

    [Fact]
    public void A_second_order_takes_over_when_the_first_lost_its_survivor()
    {
        Add(0, _bench.Now, 1);
        Order(0, Next(0, 3, 4), Survivors(0, 1));
        Order(3, Next(0, 3, 4), Survivors(0, 1));
        var plan = Plan(0, 3, 4);
        Assert.False(plan.CanGoOn);
        Assert.Equal(Survivors(0), plan.Survivors);

        var second = plan.Next(2, [Id(0), Id(3), Id(4)]);
        Assert.Equal(3ul, second.Epoch);
        Order(0, second, plan.Survivors);
        Order(3, second, plan.Survivors);
        Assert.IsType<LearnerOutcome.Activated>(Learn(3));
        Assert.Single(_bench.Stores[3].ReadPage(Tile, default, 1000).Entries);
    }

    [Fact]
    public void A_plan_refuses_while_a_majority_answers_and_while_learners_will_get_there()
    {
        Assert.True(Plan(0, 1).CanGoOn);
        Assert.False(Plan(0, 3, 4).CanGoOn);
        Order(0, Next(0, 3, 4), Survivors(0));
        Order(3, Next(0, 3, 4), Survivors(0));
        Assert.True(Plan(0, 3).CanGoOn);
        Assert.False(Plan(3, 4).CanGoOn);
    }

    [Fact]
    public void A_damaged_copy_is_no_survivor_and_counts_for_no_majority()
    {
        Add(0, _bench.Now, 1);
        _bench.Ask(2, new ReplicaRequest.Distrust(Tile));
        Assert.True(Plan(0, 1, 2).CanGoOn);
        var plan = Plan(0, 2);
        Assert.False(plan.CanGoOn);
        Assert.Equal(Survivors(0), plan.Survivors);

        var next = plan.Next(1, [Id(0), Id(2)]);
        foreach (var node in (int[])[0, 2])
        {
            Order(node, next, plan.Survivors);
            Assert.IsType<LearnerOutcome.Activated>(Learn(node));
        }

        Assert.Single(_bench.Stores[2].ReadPage(Tile, default, 1000).Entries);
    }

    /// <summary>Else an order would have the others drop what they hold for what one node made up.</summary>
    [Fact]
    public void What_one_says_of_a_later_epoch_is_nothing_while_all_members_answer_for_the_one_before()
    {
        var lie = Active(3, _bench.Now.Next([Id(2), Id(3), Id(4)]));
        var plan = new RecoveryPlan([.. Answers(0, 1, 2), lie]);
        Assert.True(plan.CanGoOn);
        Assert.Equal(_bench.Now, plan.Newest);
        Assert.Equal(Survivors(0, 1, 2), plan.Survivors);
        var doubt = Assert.Single(plan.Doubts);
        Assert.Equal((Id(3), lie.Known, _bench.Now), (doubt.Node, doubt.Said, doubt.Earlier));
        Assert.Equal([Id(0), Id(1), Id(2)], doubt.Members.ToArray());
        Assert.True(doubt.IsPassedOver);
        Assert.False(plan.IsContested);
        foreach (var node in (int[])[1, 2])
            _bench.Ask(node, new ReplicaRequest.Seal(_bench.Now.At, new(1, 1, Id(2), 1))); // Now it may be true.
        plan = new([.. Answers(0, 1, 2), lie]);
        Assert.Equal(lie.Known, plan.Newest);
        Assert.Empty(plan.Doubts);
    }

    /// <summary>Member 2 went on with two that are gone; 0 never heard of it, and 1, which was sealed for it, says that
    /// it was not. Together they are a majority.</summary>
    [Fact]
    public void One_liar_and_a_stale_copy_do_not_hide_the_only_survivor_and_nobody_acts_on_it_before_it_is_clear()
    {
        var later = _bench.Now.Next([Id(2), Id(3), Id(4)]).Next([Id(2), Id(3), Id(4)]);
        var plan = new RecoveryPlan([.. Answers(0, 1), Active(2, later)]);
        Assert.False(plan.CanGoOn);
        Assert.Equal(later with { Members = [Id(2)] }, plan.Survivors);
        Assert.True(plan.IsContested);
        Assert.False(Assert.Single(plan.Doubts).IsPassedOver);
        plan = new([.. Answers(0), Active(2, later)]); // The liar has been revoked.
        Assert.Equal(later with { Members = [Id(2)] }, plan.Survivors);
        Assert.False(plan.IsContested);
        plan = new(Answers(0, 1)); // Or the other one.
        Assert.True(plan.CanGoOn);
    }

    [Fact]
    public void A_member_that_has_heard_of_a_later_epoch_does_not_speak_against_it()
    {
        var later = _bench.Now.Next([Id(0), Id(1), Id(3)]);
        var plan = new RecoveryPlan(Answers(0, 1, 2).Select(answer => answer with { Known = later }));
        Assert.Equal(later, plan.Newest);
        Assert.Empty(plan.Doubts);
    }

    [Fact]
    public void An_order_is_above_every_epoch_that_is_named_of_whatever_generation()
    {
        var (old, ordered) = (_bench.Now with { Epoch = 5 }, new TileConfiguration(Tile, 1, 1, [Id(3), Id(4)]));
        var plan = new RecoveryPlan([Active(0, old), new(Id(3), null, ordered), new(Id(4), null, ordered)]);
        Assert.Equal(6ul, plan.Next(2, [Id(0), Id(3), Id(4)]).Epoch);
    }

    /// <summary>Such an order was begun and came to nobody: docs/protocol.md#contested.</summary>
    [Fact]
    public void A_later_generation_is_passed_over_as_well_while_all_members_answer_for_the_one_before()
    {
        var plan = new RecoveryPlan([.. Answers(0, 1, 2), new(Id(3), null, new(Tile, 1, 1, [Id(3), Id(4)]))]);
        Assert.True(plan.CanGoOn);
        Assert.Equal(_bench.Now, plan.Newest);
        Assert.Equal(Id(3), Assert.Single(plan.Doubts).Node);
    }

    /// <summary>Members 3 and 4 of what node 2 names answer, and have never heard of it.</summary>
    [Fact]
    public void What_one_node_alone_names_makes_no_tile_healthy()
    {
        var later = _bench.Now.Next([Id(2), Id(3), Id(4)]);
        Assert.False(new RecoveryPlan([.. Answers(0, 3, 4), Active(2, later)]).CanGoOn);
        var heard = new TileAnswer(Id(3), null, later);
        Assert.True(new RecoveryPlan([.. Answers(0, 4), heard, Active(2, later)]).CanGoOn);
    }

    /// <summary>Two learn for an epoch whose sources are gone; the third member names another one before it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void What_one_node_alone_names_as_the_epoch_before_makes_no_tile_healthy(int liar)
    {
        var next = _bench.Now.Next([Id(0), Id(1), Id(3)]);
        var madeUp = new TileHeader(_bench.Now with { Members = [Id(liar)] }, TilePhase.Sealed, Pending: next);
        var learning = new TileHeader(next, TilePhase.Learning, Previous: _bench.Now with { Members = [Id(2), Id(4)] });
        var plan = new RecoveryPlan(((int[])[0, 1, 3]).Select(
            node => new TileAnswer(Id(node), node == liar ? madeUp : learning, next)));
        Assert.Equal(next, plan.Newest);
        Assert.False(plan.CanGoOn);
    }

    /// <summary>docs/protocol.md#impossible-numbers</summary>
    [Theory]
    [InlineData(0, 1, 1, false)]
    [InlineData(1, 2, 1, false)]
    [InlineData(2, 2, 1, true)] // Ordered, and come to nobody else yet.
    [InlineData(0, 0, (1UL << 32) + 5, true)]
    [InlineData(0, 0, (1UL << 32) + 6, false)]
    [InlineData(1, 1, (1UL << 34) + 5, true)] // A liar may have been within the bounds of the order before.
    [InlineData(40, 1, (1UL << 60) + 6, false)]
    public void One_node_cannot_be_far_ahead_of_all_others(
        ulong issued, ulong generation, ulong epoch, bool isPossible)
    {
        var told = _bench.Now with { Generation = generation, Epoch = epoch };
        TileAnswer[] all =
        [
            new(Id(0), null, _bench.Now with { Epoch = 5 }), new(Id(1), null, _bench.Now), new(Id(2), null, told),
        ];
        var bounds = new AnswerBounds(all, issued);
        Assert.Equal([true, true, isPossible], all.Select(bounds.IsPossible));
        Assert.True(new AnswerBounds([.. all, all[2] with { Node = Id(3) }], issued).IsPossible(all[2]));
    }

    [Fact]
    public void A_copy_that_was_away_is_a_survivor()
    {
        _bench.Ask(2, new ReplicaRequest.Doubt(Tile));
        Assert.Equal(Survivors(2), Plan(2, 3).Survivors);
        Assert.False(Plan(2, 3).CanGoOn);
        Assert.True(Plan(1, 2).CanGoOn);
    }

    private TileAnswer Active(int node, TileConfiguration at) => new(Id(node), new(at, TilePhase.Active), at);

    private RecoveryPlan Plan(params int[] nodes) => new(Answers(nodes));

    private IEnumerable<TileAnswer> Answers(params int[] nodes) => nodes.Select(
        node => new TileAnswer(Id(node), _bench.Replicas[node].Header(Tile), _bench.Now));

    private ImmutableArray<TileSums> Compare(int node, TileEpoch at) => Assert.IsType<ReplicaReply.Differing>(
        _bench.Ask(node, new ReplicaRequest.Compare([new(at, UInt128.One)]))).Tiles;

    private static BucketSet Buckets() => new(UInt128.MaxValue, UInt128.MaxValue);

    private void Add(int node, TileConfiguration at, uint id) => Assert.IsType<ReplicaReply.Added>(
        _bench.Ask(node, new ReplicaRequest.Add(at.At, "m", new MessageId(id), Bytes("x"))));

    private void Order(int node, TileConfiguration next, TileConfiguration survivors) =>
        _bench.Ask(node, new ReplicaRequest.NewConfiguration(next, survivors));

    private ReplicaReply.Pulled Pull(int node, TileConfiguration at) =>
        Assert.IsType<ReplicaReply.Pulled>(_bench.Ask(node, new ReplicaRequest.Pull(at.At, default, 1000)));

    private LearnerOutcome? Learn(int node)
    {
        var learner = new Learner(Id(node), _bench.Replicas[node].Header(Tile)!, CoordinatorOptions.Default, 1);
        _bench.Run(learner);
        return learner.Outcome;
    }
}
