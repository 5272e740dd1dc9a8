using ChordChat.Core.Replication;
using Xunit;
using static ChordChat.Tests.Unit.Replication.Bench;

namespace ChordChat.Tests.Unit.Replication;

/// <summary>docs/protocol.md#value-rules, where a tile's members change: node 2 goes, node 3 comes, and one of the old
/// members lies about a register.</summary>
public sealed class ContestTests
{
    private readonly Bench _bench = new(values: new OwnedValues());

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void A_member_that_goes_on_keeps_its_value_beside_one_that_lies(int honest, int liar)
    {
        Hold("a1", honest, 2);
        Plant(liar, "b1");
        End();

        Learn(honest);

        Assert.Equal(("a1", TilePhase.Active), (Value(honest), Phase(honest)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_newcomer_believes_the_majority_of_those_before(int liar)
    {
        Hold("a1", 1 - liar, 2);
        Plant(liar, "b1");
        End();
        Complete(liar);

        Learn(3);

        Assert.Equal(("a1", TilePhase.Active), (Value(3), Phase(3)));
    }

    [Theory]
    [InlineData("a1")]
    [InlineData("")] // Nothing was ever written there.
    public void A_newcomer_takes_no_rubbish(string own)
    {
        if (own.Length > 0)
            Hold(own, 0);
        Plant(1, "rubbish");
        End();
        Learn(3);
        Assert.Equal((own, TilePhase.Active), (Value(3), Phase(3)));
    }

    /// <summary>Node 0 has accepted what was never chosen, and one that holds the chosen value has gone for
    /// good.</summary>
    [Fact]
    public void Without_a_third_the_larger_ballot_counts_so_nothing_chosen_is_lost()
    {
        Hold("a1", 0);
        Plant(1, "b1");
        Plant(2, "b1");
        End();
        _bench.Deaf.Add(2);

        Learn(0);
        Learn(3);

        Assert.Equal(("b1", "b1"), (Value(0), Value(3)));
        Assert.Equal((TilePhase.Active, TilePhase.Active), (Phase(0), Phase(3)));
    }

    [Fact]
    public void A_newcomer_learns_from_one_alone_when_the_others_do_not_answer()
    {
        Hold("a1", 0, 1, 2);
        End();
        Learn(0);
        _bench.Deaf.UnionWith([1, 2]);

        Learn(3);

        Assert.Equal(("a1", TilePhase.Active), (Value(3), Phase(3)));
    }

    private void Hold(string value, params int[] nodes)
    {
        var ballot = _bench.Ballots.Next(1, default);
        foreach (var node in nodes)
            Assert.IsType<ReplicaReply.Accepted>(
                _bench.Ask(node, new ReplicaRequest.Accept(_bench.Now.At, "k", ballot, Bytes(value))));
    }

    /// <summary>Writes past all rules, as a node can on its own disk.</summary>
    private void Plant(int node, string value)
    {
        var ballot = new Ballot(1, 99, _bench.Ids[1], 1);
        _bench.Stores[node].PutRegister(Tile, "k", new RegisterRow(ballot, ballot, Bytes(value)));
    }

    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1));

    private void Learn(int node) =>
        _bench.Run(new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default, 1));

    /// <summary>It says that it is complete without having learned anything.</summary>
    private void Complete(int node) => _bench.Ask(node, new ReplicaRequest.Activate(Header(node).Newest.At));

    private TileHeader Header(int node) => _bench.Replicas[node].Header(Tile)!;

    private TilePhase Phase(int node) => Header(node).Phase;

    private string Value(int node) => Text(_bench.Stores[node].GetRegister(Tile, "k").Value);
}
