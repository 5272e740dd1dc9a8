using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#steward: what one node does at once.</summary>
public class TileKeeperTests
{
    private static readonly ImmutableArray<NodeId> Ids =
        [.. Enumerable.Range(1, 5).Select(i => new NodeId((UInt128)i, 0))];

    private static readonly TileOutlook Outlook = new(Ids[..3], ImmutableHashSet<NodeId>.Empty);
    private readonly TileKeeper _keeper = new(
        new BallotSource(Ids[0], 1), CoordinatorOptions.Default,
        new StewardOptions { NewcomersMax = 2, ChangesMax = 2, ChangeGap = TimeSpan.FromMilliseconds(50) }, seed: 1);

    [Fact]
    public void A_newcomer_copies_only_so_many_tiles_at_once_and_members_are_not_held_up()
    {
        var newcomers = TileId.All(3).Select(tile => Next(new TileHeader(Second(tile), TilePhase.Learning))).ToArray();
        Assert.Equal(2, newcomers.Count(coordinator => coordinator is Learner));
        var members = TileId.All(4).Select(tile =>
            Next(new TileHeader(First(tile), TilePhase.Sealed, Pending: Second(tile))));
        Assert.All(members, coordinator => Assert.IsType<Learner>(coordinator));
    }

    [Fact]
    public void Learning_does_not_wait_for_what_runs_and_runs_once()
    {
        var tile = new TileId(3, 1);
        Assert.IsType<Announcement>(Next(new TileHeader(First(tile), TilePhase.Active)));
        Assert.Null(Next(new TileHeader(First(tile), TilePhase.Active)));
        var ended = new TileHeader(First(tile), TilePhase.Sealed, Pending: Second(tile));
        Assert.IsType<Learner>(Next(ended));
        Assert.Null(Next(ended));
    }

    [Fact]
    public void What_the_host_gave_up_is_begun_anew()
    {
        var header = Learning(0);
        Assert.IsType<Learner>(Next(header)).Abandon();
        Assert.IsType<Learner>(Next(header));
    }

    /// <summary>docs/protocol.md#contested-registers: the only voice is believed while the others are gone, not because
    /// one of them was restarting when this began.</summary>
    [Fact]
    public void A_learner_hears_when_somebody_is_back()
    {
        var header = Learning(0);
        var away = new TileOutlook(
            Outlook.Preferred, Outlook.Unwanted, ImmutableHashSet.Create(header.Newest.Members[0]));
        var learner = Assert.IsType<Learner>(_keeper.Next(header, away, 0));
        Assert.False(learner.Answers(header.Newest.Members[0]));
        Assert.Null(_keeper.Next(header, away with { Away = ImmutableHashSet<NodeId>.Empty }, 0));
        Assert.True(learner.Answers(header.Newest.Members[0]));
    }

    [Fact]
    public void A_newcomer_that_found_no_source_lets_others_go_first()
    {
        var (stuck, other) = (Learning(0), Learning(1));
        var learner = Assert.IsType<Learner>(Next(stuck));
        learner.Start();
        while (!learner.IsDone)
            learner.OnTimeout();
        Assert.Null(Next(stuck));
        Assert.IsType<Learner>(Next(other));
        Assert.IsType<Learner>(_keeper.Next(stuck, Outlook, 2000));
    }

    /// <summary>Or what stops it would stop it again at once, without end.</summary>
    [Fact]
    public void A_member_that_found_no_source_begins_again_after_two_seconds()
    {
        var tile = new TileId(3, 0);
        var header = new TileHeader(First(tile), TilePhase.Sealed, Pending: Second(tile));
        var learner = Assert.IsType<Learner>(Next(header));
        learner.Start();
        while (!learner.IsDone)
            learner.OnTimeout();
        Assert.Null(Next(header));
        Assert.Null(_keeper.Next(header, Outlook, 1_999));
        Assert.IsType<Learner>(_keeper.Next(header, Outlook, 2_000));
    }

    [Fact]
    public void Changes_begin_one_after_the_other_and_none_for_five_seconds_after_an_own_pause()
    {
        var outlook = new TileOutlook([Ids[0], Ids[3], Ids[4]], ImmutableHashSet.Create(Ids[1]));
        var headers = TileId.All(3).Take(2).Select(tile => new TileHeader(First(tile), TilePhase.Active)).ToArray();
        int Begun(long now) => headers.Count(header => Run(_keeper.Next(header, outlook, now)) is EpochChange);
        Begun(0); // It begins to count how long a member has been unwanted.
        _keeper.Paused(0, 0);
        for (var now = 0L; now < 5000; now += 50)
            Assert.Equal(0, Begun(now));
        Assert.Equal(1, Begun(5000));
        Assert.Equal(0, Begun(5049));
        Assert.Equal(1, Begun(5050));
    }

    /// <summary>docs/protocol.md#newcomers.</summary>
    [Fact]
    public void A_newcomer_that_answers_nothing_is_passed_over_for_20_seconds_and_then_twice_as_long()
    {
        var now = 0L;
        AskInVain();
        Assert.Equal([Ids[3]], _keeper.PassedOver(now + 19_999));
        Assert.Empty(_keeper.PassedOver(now + 20_000));
        now += 30_000;
        AskInVain();
        Assert.Equal([Ids[3]], _keeper.PassedOver(now + 39_999));
        Assert.Empty(_keeper.PassedOver(now + 40_000));
        now += 900_000; // Long ago.
        AskInVain();
        Assert.Empty(_keeper.PassedOver(now + 20_000));

        void AskInVain()
        {
            var outlook = new TileOutlook([Ids[0], Ids[3], Ids[4]], ImmutableHashSet.Create(Ids[1]));
            var header = new TileHeader(First(new TileId(3, 1)), TilePhase.Active);
            Coordinator? next;
            while ((next = _keeper.Next(header, outlook, now)) is not EpochChange)
            {
                Run(next);
                now += 500;
            }

            Assert.Equal(Ids[3], Assert.Single(next.Start().OfType<Effect.Send>()).To);
            while (!next.IsDone)
                next.OnTimeout();
            Run(_keeper.Next(header, outlook, now));
        }
    }

    [Fact]
    public void A_node_that_is_about_to_stop_begins_no_change()
    {
        var outlook = new TileOutlook([Ids[0], Ids[3], Ids[4]], ImmutableHashSet.Create(Ids[1]));
        _keeper.BeginNoMore();
        for (var now = 0L; now < 20_000; now += 500)
            Assert.IsNotType<EpochChange>(
                Run(_keeper.Next(new TileHeader(First(new TileId(3, 1)), TilePhase.Active), outlook, now)));
    }

    /// <summary>Lets an announcement end, which nobody answers.</summary>
    private static Coordinator? Run(Coordinator? coordinator)
    {
        if (coordinator is Announcement)
        {
            coordinator.Start();
            coordinator.OnTimeout();
        }

        return coordinator;
    }

    private static TileHeader Learning(uint prefix) =>
        new(Second(new TileId(3, prefix)), TilePhase.Learning, Previous: First(new TileId(3, prefix)));

    private static TileConfiguration First(TileId tile) => new(tile, 0, 1, Ids[..3]);

    private static TileConfiguration Second(TileId tile) => First(tile).Next([Ids[0], Ids[3], Ids[4]]);

    private Coordinator? Next(TileHeader header) => _keeper.Next(header, Outlook, 0);
}
