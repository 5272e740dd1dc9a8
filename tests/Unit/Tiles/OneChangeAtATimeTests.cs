using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#one-change-at-a-time: of three members 1 lies, and 2 hears of nothing.</summary>
public sealed class OneChangeAtATimeTests
{
    private readonly Bench _bench = new(values: new OwnedValues());
    private readonly TileOutlook _everybody;

    public OneChangeAtATimeTests() => _everybody = new(_bench.Now.Members, ImmutableHashSet<NodeId>.Empty);

    /// <summary>Member 2 would have to drop its rows, and of the two that are left the larger ballot would
    /// count.</summary>
    [Fact]
    public void A_liar_cannot_take_a_name_by_two_changes_in_a_row()
    {
        _bench.Hold("a1");
        End(_bench.Now);
        Learn(0);
        Plant(1, "b1");

        var second = End(Header(0).Configuration);
        _bench.Ask(2, new ReplicaRequest.NewConfiguration(second ?? Header(0).Newest, Header(0).BeforeNewest));
        Learn(2);

        Assert.Equal(("a1", TilePhase.Active), (Value(2), Phase(2)));
        Assert.Null(second);
    }

    [Fact]
    public void A_member_votes_for_the_next_change_as_soon_as_all_others_are_complete()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        Tell(0);
        Assert.Null(End(Header(0).Configuration)); // 2 answers, but it learns still.
        Learn(2);
        Tell(0, except: 1); // One that says nothing is not believed to be complete.
        Assert.Null(End(Header(0).Configuration));
        Tell(0, except: 2);
        Assert.Null(End(Header(0).Configuration));
        Tell(0);
        Assert.NotNull(End(Header(0).Configuration));
    }

    [Fact]
    public void It_waits_for_nobody_that_is_dead_or_damaged()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        Tell(0, except: 2, answers: node => node != _bench.Ids[2]);
        Assert.NotNull(End(Header(0).Configuration));

        Learn(0);
        Learn(1);
        _bench.Ask(2, new ReplicaRequest.NewConfiguration(Header(0).Newest, Header(0).BeforeNewest));
        _bench.Ask(2, new ReplicaRequest.Distrust(Tile));
        Assert.Equal(TilePhase.Damaged, Phase(2));
        Tell(0);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>It was ready once: otherwise it would not be sealed.</summary>
    [Fact]
    public void Whoever_is_sealed_votes_after_a_restart_too()
    {
        End(_bench.Now);
        foreach (var node in (int[])[0, 1, 2])
            Learn(node);
        Tell(0);
        var at = Header(0).Configuration;
        Assert.IsType<ReplicaReply.SealGranted>(Ask(new ReplicaRequest.Seal(at.At, Ballot(at, 1))));
        _bench.Restart(0);
        Assert.IsType<ReplicaReply.SealGranted>(Ask(new ReplicaRequest.Seal(at.At, Ballot(at, 2))));
    }

    [Fact]
    public void Whoever_restarts_before_asks_the_others_again_unless_all_had_told_it()
    {
        End(_bench.Now);
        foreach (var node in (int[])[0, 1, 2])
            Learn(node);
        _bench.Restart(0);
        Assert.Null(End(Header(0).Configuration));
        Tell(0);
        Assert.Null(Header(0).Previous);
        _bench.Restart(0);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>One that lies denies the decision, so that 2 believes nobody: it answers, and stays behind.</summary>
    [Fact]
    public void Nobody_goes_on_without_one_that_is_kept_from_hearing_of_the_epoch()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        var behind = new ReplicaReply.Standing(_bench.Now, TilePhase.Active, null);
        _bench.Lie = (node, request) => node == 2 && request is ReplicaRequest.NewConfiguration ? behind : null;
        Look(_everybody, until: 2_000_000);
        Assert.Null(End(Header(0).Configuration));
        _bench.Lie = null;
        Learn(2);
        Look(_everybody, from: 2_000_500, until: 2_010_000);
        Assert.NotNull(End(Header(0).Configuration));
    }

    [Fact]
    public void One_that_learns_for_ever_has_half_an_hour()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        Look(_everybody, until: 1_799_000);
        Assert.Null(End(Header(0).Configuration));
        Look(_everybody, from: 1_799_500, until: 1_805_000);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>An audit comes once a minute; a stall in just that second is no long silence.</summary>
    [Fact]
    public void One_that_missed_a_question_a_minute_ago_is_not_silent_since_then()
    {
        _bench.Ignores = (node, _) => node == 2;
        Look(_everybody, until: 2_000);
        _bench.Ignores = null;
        End(_bench.Now);
        Learn(0);
        Learn(1);
        Look(_everybody, from: 60_000, until: 70_000);
        Assert.Null(End(Header(0).Configuration));
    }

    /// <summary>Whoever has left may be back in a second.</summary>
    [Fact]
    public void One_that_has_left_or_is_silent_is_waited_for_45_seconds_and_whoever_comes_back_again()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        _bench.Ignores = (node, request) => node == 2 && request is ReplicaRequest.NewConfiguration;
        var left = _everybody with { Away = ImmutableHashSet.Create(_bench.Ids[2]) };
        Look(left, until: 44_000);
        Assert.Null(End(Header(0).Configuration));
        Look(left, from: 44_500, until: 50_000);
        _bench.Ignores = null;
        Look(left, from: 50_500, until: 55_000);
        Assert.Null(End(Header(0).Configuration)); // It is back, and learns.
        _bench.Ignores = (node, request) => node == 2 && request is ReplicaRequest.NewConfiguration;
        Look(left, from: 55_500, until: 110_000);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>Otherwise each newcomer would wait for it anew (seed 132772 of the hunt).</summary>
    [Fact]
    public void One_that_left_long_ago_is_not_waited_for()
    {
        End(_bench.Now);
        Learn(0);
        Learn(1);
        _bench.Ignores = (node, request) => node == 2 && request is ReplicaRequest.NewConfiguration;
        Look(_everybody with { LongGone = [_bench.Ids[2]] }, until: 5_000);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>docs/protocol.md#one-voice-is-a-claim: 1 denies what it has decided with 0, so 2 believes nobody. It
    /// ends the epoch itself, and hears from 0 how that ended.</summary>
    [Fact]
    public void One_that_is_kept_from_hearing_of_an_epoch_follows_all_the_same()
    {
        _bench.Hold("a1");
        End(_bench.Now);
        Plant(1, "b1");
        _bench.Ignores = (node, _) => node == 1;
        var keeper = new TileKeeper(
            new BallotSource(_bench.Ids[2], 2), CoordinatorOptions.Default, StewardOptions.Default, 1);
        if (keeper.Next(Header(2), _everybody, 0) is { } audit)
            _bench.Run(audit);
        keeper.Doubt(_bench.Now.At, 1_000);
        Assert.Null(keeper.Next(Header(2), _everybody, 1_500)); // It may be confirmed in a moment.
        keeper.Doubt(_bench.Now.At, 2_000);
        _bench.Run(Assert.IsType<EpochChange>(keeper.Next(Header(2), _everybody, 2_000)));
        _bench.Ignores = null;

        Assert.Equal((Header(0).Newest, TilePhase.Sealed), (Header(2).Newest, Phase(2)));
        Learn(0);
        Learn(2);
        Assert.Equal(("a1", "a1"), (Value(0), Value(2)));
    }

    [Fact]
    public void What_is_said_of_an_epoch_that_has_passed_ends_nothing()
    {
        var keeper = new TileKeeper(
            new BallotSource(_bench.Ids[2], 2), CoordinatorOptions.Default, StewardOptions.Default, 1);
        for (var now = 0L; now < 10_000; now += 500)
        {
            if (keeper.Next(Header(2), _everybody, now) is { } next)
                _bench.Run(Assert.IsType<Announcement>(next));
            keeper.Doubt(_bench.Now.At with { Epoch = 7 }, now);
        }
    }

    /// <summary>docs/protocol.md#doubt: otherwise one that lies could make 0 do what it refuses to vote for.</summary>
    [Fact]
    public void Who_is_not_ready_ends_no_epoch_because_another_one_says_that_it_has_ended()
    {
        End(_bench.Now);
        Learn(0);
        for (var now = 0L; now < 60_000; now += 500)
        {
            Keeper.Doubt(Header(0).Configuration.At, now);
            if (Keeper.Next(Header(0), _everybody, now) is { } next)
                _bench.Run(Assert.IsType<Announcement>(next));
        }
    }

    [Fact]
    public void Whoever_says_again_and_again_that_epochs_have_ended_is_heard_less_and_less()
    {
        var ends = new List<long>();
        for (var now = 0L; now <= 200_000; now += 500)
        {
            Keeper.Doubt(Header(0).Configuration.At, now);
            var next = Keeper.Next(Header(0), _everybody, now);
            if (next is EpochChange)
                ends.Add(now);
            next?.Abandon();
        }

        Assert.Equal([1_500, 21_500, 61_500, 141_500], ends);
    }

    /// <summary>1 has shown each of them another decision of the same epoch, and is gone: the next change makes them
    /// one again.</summary>
    [Fact]
    public void Two_that_a_liar_has_split_may_end_the_epoch_that_they_do_not_share()
    {
        var one = _bench.Now.Next(_bench.Now.Members);
        var other = _bench.Now.Next([.. _bench.Now.Members.Reverse()]);
        foreach (var (node, next) in (((int, TileConfiguration)[])[(0, one), (1, one), (2, other)]))
            _bench.Ask(node, new ReplicaRequest.NewConfiguration(next, _bench.Now));
        Learn(0);
        Learn(1);
        Learn(2);
        Assert.NotEqual(Header(0).Configuration, Header(2).Configuration);
        Tell(0, except: 1, answers: node => node != _bench.Ids[1]);
        Assert.NotNull(End(Header(0).Configuration));
    }

    /// <summary>Otherwise one that lies could keep any tile as it is.</summary>
    [Fact]
    public void Of_five_members_one_need_not_be_complete()
    {
        var bench = new Bench(members: 5);
        var next = bench.Now.Next(bench.Now.Members);
        foreach (var node in (int[])[0, 1, 2, 3])
        {
            bench.Ask(node, new ReplicaRequest.NewConfiguration(next, bench.Now));
            if (node < 3)
                bench.Ask(node, new ReplicaRequest.Activate(next.At));
        }

        Tell();
        Assert.False(MayEnd());
        bench.Ask(3, new ReplicaRequest.Activate(next.At));
        Tell();
        Assert.True(MayEnd());

        void Tell() => bench.Run(
            new Announcement(bench.Ids[0], bench.Replicas[0].Header(Tile)!, CoordinatorOptions.Default)
            {
                Answers = node => node != bench.Ids[4],
            });
        bool MayEnd() => bench.Replicas[0].Handle(
            new ReplicaRequest.Seal(next.At, new Ballot(2, 1, bench.Ids[1], 1)), bench.Ids[1], 0)
            is ReplicaReply.SealGranted;
    }

    /// <summary>One is dead, one learns for long, and one has started again since: too few let the epoch end. With the
    /// copy that does sealed, there would be no majority any more.</summary>
    [Theory]
    [InlineData(5, TilePhase.Active, true)]
    [InlineData(3, TilePhase.Damaged, true)] // The proposer's own copy; it cannot vote.
    [InlineData(5, TilePhase.Active, false)]
    public void What_others_refuse_stops_no_copy(int members, TilePhase own, bool areAsked)
    {
        var bench = new Bench(members: members);
        var next = bench.Now.Next(bench.Now.Members);
        for (var node = 0; node < 3; node++)
        {
            bench.Ask(node, new ReplicaRequest.NewConfiguration(next, bench.Now));
            bench.Ask(node, new ReplicaRequest.Activate(next.At));
            bench.Ask(node, new ReplicaRequest.MayEnd(next.At, node != 1));
        }

        if (own is TilePhase.Damaged)
            bench.Ask(0, new ReplicaRequest.Distrust(Tile));
        bench.Deaf.UnionWith([3, 4]);
        bench.Lie = (node, request) => // The bench lets each node ask itself, which may end any epoch.
            node == 1 && request is ReplicaRequest.Seal ? new ReplicaReply.NotAllowed("not yet") : null;
        var change = new EpochChange(next, next.Members, bench.Ballots, CoordinatorOptions.Default, 1)
        {
            Rules = ReplicaRules.Protocol with { MembersAreAsked = areAsked },
        };
        bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Unavailable>(change.Outcome);
        Assert.Equal(
            [own, TilePhase.Active, areAsked ? TilePhase.Active : TilePhase.Sealed],
            Enumerable.Range(0, 3).Select(node => bench.Replicas[node].Header(Tile)!.Phase));
    }

    /// <summary>A copy that works is not stopped for a change that others refuse.</summary>
    [Fact]
    public void Who_proposes_a_change_that_all_others_refuse_works_on()
    {
        _bench.Lie = (node, request) =>
            node != 0 && request is ReplicaRequest.Seal ? new ReplicaReply.NotAllowed("not yet") : null;
        var change = new EpochChange(
            _bench.Now, _bench.Now.Members, _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Unavailable>(change.Outcome);
        Assert.Equal(TilePhase.Active, Phase(0));
        _bench.Lie = (node, request) =>
            node == 1 && request is ReplicaRequest.Seal ? new ReplicaReply.NotAllowed("not yet") : null;
        var second = new EpochChange(_bench.Now, _bench.Now.Members, _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(second);
        Assert.IsType<EpochChangeOutcome.Decided>(second.Outcome);
    }

    private TileKeeper Keeper => field ??= new(
        new BallotSource(_bench.Ids[0], 2), CoordinatorOptions.Default, StewardOptions.Default, 1);

    /// <summary>As member 0 looks after its tile, twice a second.</summary>
    private void Look(TileOutlook outlook, long until, long from = 0)
    {
        for (var now = from; now <= until; now += 500)
            if (Keeper.Next(Header(0), outlook, now) is Announcement announcement)
                _bench.Run(announcement);
    }

    /// <summary>Member 1 ends an epoch with the vote of 0, and keeps its members.</summary>
    /// <returns>What was decided; null when 0 has refused.</returns>
    private TileConfiguration? End(TileConfiguration at)
    {
        var (ballot, next) = (Ballot(at, 1), at.Next(at.Members));
        if (Ask(new ReplicaRequest.Seal(at.At, ballot)) is not ReplicaReply.SealGranted
            || Ask(new ReplicaRequest.Decide(at.At, ballot, next)) is not ReplicaReply.Accepted)
        {
            Assert.IsType<ReplicaReply.NotAllowed>(Ask(new ReplicaRequest.Decide(at.At, ballot, next)));
            return null;
        }

        foreach (var node in (int[])[0, 1])
            _bench.Ask(node, new ReplicaRequest.NewConfiguration(next, at));
        return next;
    }

    private Ballot Ballot(TileConfiguration at, ulong round) => new(at.Epoch, round, _bench.Ids[1], 1);

    /// <summary>Of 0, by 1.</summary>
    private ReplicaReply Ask(ReplicaRequest request) => _bench.Replicas[0].Handle(request, _bench.Ids[1], 0);

    private void Plant(int node, string value) =>
        _bench.Plant(node, new Ballot(2, 99, _bench.Ids[1], 1), value);

    private void Learn(int node)
    {
        if (Header(node).Newest == Header(node).Configuration && Phase(node) != TilePhase.Learning)
            _bench.Ask(node, new ReplicaRequest.NewConfiguration(Header(0).Newest, Header(0).BeforeNewest));
        _bench.Run(new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default, 1));
    }

    private void Tell(int node, int? except = null, Func<NodeId, bool>? answers = null)
    {
        _bench.Ignores = (other, request) => other == except && request is ReplicaRequest.NewConfiguration;
        _bench.Run(new Announcement(_bench.Ids[node], Header(node), CoordinatorOptions.Default)
        {
            Answers = answers ?? (static _ => true),
        });
        _bench.Ignores = null;
    }

    private TileHeader Header(int node) => _bench.Replicas[node].Header(Tile)!;

    private TilePhase Phase(int node) => Header(node).Phase;

    private string Value(int node) => Text(_bench.Stores[node].GetRegister(Tile, "k").Value);
}
