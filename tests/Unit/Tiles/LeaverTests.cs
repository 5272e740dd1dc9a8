using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#leavers: node 2 leaves a tile of 0, 1 and 2, node 3 comes, and node 1 may lie.</summary>
public sealed class LeaverTests
{
    private readonly Bench _bench = new(values: new OwnedValues());

    /// <summary>The honest copy that leaves is what outvotes the one that lies; the newcomer may be slow, and one that
    /// lies can make it slow.</summary>
    [Fact]
    public void A_liar_gives_a_newcomer_nothing_that_the_leaver_would_have_denied()
    {
        _bench.Hold("a1");
        End();
        Learn(0);
        Complete(1);
        Tell(2);
        Plant(1, "b1");

        Learn(3);

        Assert.Equal(("a1", TilePhase.Active), (Value(3), Phase(3)));
        Tell(2);
        Assert.Equal(TilePhase.Retired, Phase(2));
    }

    [Fact]
    public void A_leaver_does_not_wait_for_one_that_it_knows_to_be_dead()
    {
        End();
        Learn(0);
        Learn(1);
        _bench.Deaf.Add(3);
        Tell(2);
        Assert.Equal(TilePhase.Sealed, Phase(2));
        Tell(2, answers: node => node != _bench.Ids[3]);
        Assert.Equal(TilePhase.Retired, Phase(2));
    }

    /// <summary>docs/protocol.md#contested-registers.</summary>
    [Fact]
    public void One_that_has_dropped_its_rows_is_waited_for_like_one_that_is_silent()
    {
        _bench.Hold("a1");
        Plant(1, "b1");
        End();
        _bench.Lie = (node, request) =>
            node == 2 && request is ReplicaRequest.Pull ? new ReplicaReply.WrongTile() : null;
        var before = _bench.Rings;

        Learn(3);

        Assert.Equal(TilePhase.Active, Phase(3));
        Assert.InRange(_bench.Rings - before, 10, 14);
    }

    /// <summary>A majority is needed all the same.</summary>
    [Fact]
    public void A_leaver_waits_for_a_majority_even_if_the_others_are_dead()
    {
        End();
        Learn(0);
        Tell(2, answers: node => node == _bench.Ids[0]);
        Assert.Equal(TilePhase.Sealed, Phase(2));
    }

    [Fact]
    public void A_leaver_has_half_an_hour_for_a_newcomer_that_does_not_get_ready()
    {
        var keeper = WithAllButTheNewcomer();
        var outlook = new TileOutlook(Header(2).Newest.Members, ImmutableHashSet<NodeId>.Empty);

        for (var now = 0L; now < 1_800_000; now += 2_000)
        {
            _bench.Run(Assert.IsType<Announcement>(keeper.Next(Header(2), outlook, now)));
            Assert.Equal(TilePhase.Sealed, Phase(2));
        }

        _bench.Run(Assert.IsType<Announcement>(keeper.Next(Header(2), outlook, 1_800_000)));
        Assert.Equal(TilePhase.Retired, Phase(2));
    }

    /// <summary>Whether it is dead is not always known: this node may have started since.</summary>
    [Fact]
    public void A_leaver_has_45_seconds_for_a_newcomer_that_does_not_answer()
    {
        var keeper = WithAllButTheNewcomer();
        var outlook = new TileOutlook(Header(2).Newest.Members, ImmutableHashSet<NodeId>.Empty);

        _bench.Ignores = (node, _) => node == 3;
        for (var now = 0L; Phase(2) == TilePhase.Sealed; now += 2_000)
        {
            if (now == 20_000)
                _bench.Ignores = null;
            else if (now == 24_000)
                _bench.Ignores = (node, _) => node == 3;
            _bench.Run(Assert.IsType<Announcement>(keeper.Next(Header(2), outlook, now)));
            Assert.Equal(now >= 72_000, Phase(2) == TilePhase.Retired);
        }
    }

    [Fact]
    public void A_leaver_hears_from_its_steward_whom_it_need_not_wait_for()
    {
        var keeper = WithAllButTheNewcomer();
        var outlook = new TileOutlook(Header(2).Newest.Members, ImmutableHashSet.Create(_bench.Ids[3]));
        _bench.Deaf.Add(3);
        _bench.Run(keeper.Next(Header(2), outlook, 0)!);
        Assert.Equal(TilePhase.Retired, Phase(2));
    }

    /// <summary>All have learnt but the newcomer.</summary>
    /// <returns>Who looks after the leaver's tile.</returns>
    private TileKeeper WithAllButTheNewcomer()
    {
        End();
        Learn(0);
        Learn(1);
        return new(new BallotSource(_bench.Ids[2], 1), CoordinatorOptions.Default, StewardOptions.Default, 1);
    }

    private void Plant(int node, string value) =>
        _bench.Plant(node, new Ballot(1, 99, _bench.Ids[1], 1), value);

    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1));

    private void Learn(int node) =>
        _bench.Run(new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default, 1));

    /// <summary>It says that it is complete.</summary>
    private void Complete(int node) => _bench.Ask(node, new ReplicaRequest.Activate(Header(node).Newest.At));

    private void Tell(int node, Func<NodeId, bool>? answers = null) =>
        _bench.Run(new Announcement(_bench.Ids[node], Header(node), CoordinatorOptions.Default)
        {
            Answers = answers ?? (static _ => true),
        });

    private TileHeader Header(int node) => _bench.Replicas[node].Header(Tile)!;

    private TilePhase Phase(int node) => Header(node).Phase;

    private string Value(int node) => Text(_bench.Stores[node].GetRegister(Tile, "k").Value);
}
