using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#rounds-apart: one that lies has raised the rounds of some copies by steps, so that no
/// round is a possible one for all of them.</summary>
public sealed class RoundsApartTests
{
    private const ulong Step = 1UL << 32;

    private readonly Bench _bench = new();

    private NodeId Liar => _bench.Ids[4];

    [Theory]
    [InlineData(1, 3, 5)]
    [InlineData(5, 3, 1)]
    [InlineData(0, 10, 20)]
    [InlineData(20, 0, 10)]
    public void Honest_copies_that_are_all_there_take_a_change(int first, int second, int third)
    {
        Raise(0, first);
        Raise(1, second);
        Raise(2, third);
        AssertWritable();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(25)]
    public void Two_copies_that_are_left_take_a_change(int steps)
    {
        _bench.Deaf.Add(2);
        Raise(0, steps);
        AssertWritable();
    }

    /// <summary>It answers first, and says whatever makes others go astray.</summary>
    [Theory]
    [InlineData(1UL << 62)]
    [InlineData(1UL << 33)]
    [InlineData(1UL)]
    public void One_that_lies_about_its_rounds_keeps_the_others_from_nothing(ulong told)
    {
        _bench.Lie = (node, request) => node == 0 && request is ReplicaRequest.Prepare or ReplicaRequest.Accept
            ? new ReplicaReply.Nack(new Ballot(1, told, _bench.Ids[0], 1))
            : null;
        Raise(1, 2);
        Raise(2, 6);
        AssertWritable();
    }

    [Fact]
    public void Who_only_claims_to_come_nearer_is_asked_a_limited_number_of_times()
    {
        var claim = 2UL;
        _bench.Lie = (node, request) => node > 0 && request is ReplicaRequest.Prepare prepare
            ? new ReplicaReply.Nack(prepare.Ballot with { Round = Math.Min(prepare.Ballot.Round - 1, Step + claim++) })
            : null;
        Raise(0, 5);
        Assert.IsType<RegisterChangeOutcome.Unavailable>(Create().Outcome);
        Assert.InRange(_bench.Sent.Count, 1, 3 * 80);
    }

    [Fact]
    public void A_tile_whose_other_member_drove_them_apart_and_is_gone_can_go_on()
    {
        foreach (var step in new[] { 1UL, 2UL })
            Assert.IsType<ReplicaReply.SealGranted>(_bench.Replicas[0].Handle(
                new ReplicaRequest.Seal(_bench.Now.At, new(1, step * Step, _bench.Ids[2], step)), _bench.Ids[2], 0));
        _bench.Deaf.Add(2);
        var change = new EpochChange(
            _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome);
    }

    /// <summary>The proposer's own copy votes last, so that it is not heard when the only refusal comes.</summary>
    [Fact]
    public void A_tile_whose_other_member_drove_away_the_third_one_and_is_silent_can_change()
    {
        for (var step = 1UL; step <= 6; step++)
            Assert.IsType<ReplicaReply.SealGranted>(_bench.Replicas[1].Handle(
                new ReplicaRequest.Seal(_bench.Now.At, new(1, step * Step, _bench.Ids[2], step)), _bench.Ids[2], 0));
        _bench.Deaf.Add(2);
        var change = new EpochChange(
            _bench.Now, _bench.Now.Members, _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome);
    }

    /// <summary>docs/protocol.md#what-peers-make-grow.</summary>
    [Fact]
    public void A_node_has_so_many_leaps_and_others_have_their_own()
    {
        for (var step = 1UL; step <= 32; step++)
            Assert.IsType<ReplicaReply.Promised>(Prepare(Liar, step * Step));
        var highest = new ReplicaReply.Nack(new Ballot(1, 32 * Step, Liar, 1));
        Assert.Equal(highest, Prepare(Liar, 33 * Step));
        Assert.Equal(highest, Prepare(Liar, 40 * Step));
        Assert.IsType<ReplicaReply.Promised>(Prepare(Liar, (32 * Step) + 1)); // No leap.
        Assert.IsType<ReplicaReply.Nack>(Prepare(Liar, (32 * Step) + (1 << 17)));
        Assert.IsType<ReplicaReply.Promised>(Prepare(new NodeId(8, 8), 33 * Step));
        _bench.UnixMs += 15_000;
        Assert.IsType<ReplicaReply.Promised>(Prepare(Liar, 34 * Step));
        Assert.IsType<ReplicaReply.Nack>(Prepare(Liar, 35 * Step));
    }

    /// <summary>The third member is silent, and one that lies answers: the node would go up on its word.</summary>
    [Fact]
    public void One_that_lies_makes_no_node_raise_its_own_copy_further_than_others_can_follow()
    {
        _bench.Deaf.Add(2);
        _bench.Lie = (node, request) => node == 1 && request is ReplicaRequest.Prepare
            ? new ReplicaReply.Nack(new Ballot(1, 1UL << 62, _bench.Ids[1], 1))
            : null;
        for (var tries = 0; tries < 20; tries++)
            Assert.IsType<RegisterChangeOutcome.Unavailable>(Create().Outcome);
        Assert.InRange(_bench.Stores[0].GetRegister(Tile, "k").Highest.Round, 0UL, 33 * Step);

        (_bench.Lie, _) = (null, _bench.Deaf.Remove(2));
        _bench.Deaf.Add(1);
        AssertWritable();
    }

    [Fact]
    public void What_a_repair_brings_is_counted_for_its_source_and_not_for_the_node_that_repairs()
    {
        for (var i = 0; i < 40; i++)
            _bench.Ask(0, new ReplicaRequest.Mend(
                _bench.Now.At, new([new($"k{i}", new(1, Step, Liar, 1), Bytes("a"))], [], null), Source: Liar));
        Assert.Equal(32, Enumerable.Range(0, 40).Count(
            i => !_bench.Stores[0].GetRegister(Tile, $"k{i}").Highest.IsNone));
        Assert.IsType<ReplicaReply.Nack>(Prepare(Liar, Step));
        Assert.IsType<ReplicaReply.Promised>(Prepare(_bench.Ids[0], Step));
    }

    private ReplicaReply Prepare(NodeId from, ulong round) => _bench.Replicas[0].Handle(
        new ReplicaRequest.Prepare(_bench.Now.At, "k", new(1, round, from, 1)), from, _bench.UnixMs);

    private void Raise(int node, int steps)
    {
        for (var step = 1UL; step <= (ulong)steps; step++)
            Assert.IsType<ReplicaReply.Promised>(_bench.Replicas[node].Handle(
                new ReplicaRequest.Prepare(_bench.Now.At, "k", new(1, step * Step, Liar, step)), Liar, 0));
    }

    private void AssertWritable()
    {
        Assert.IsType<RegisterChangeOutcome.Stored>(Create().Outcome);
        var read = new RegisterRead(_bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(read);
        Assert.Equal("a", Text(Assert.IsType<RegisterReadOutcome.Agreed>(read.Outcome).Value));
    }

    private RegisterChange Create()
    {
        var change = new RegisterChange(
            _bench.Now, "k", current => current.IsEmpty ? Bytes("a") : (ReadOnlyMemory<byte>?)null, _bench.Ballots,
            CoordinatorOptions.Default, 1);
        _bench.Run(change);
        return change;
    }
}
