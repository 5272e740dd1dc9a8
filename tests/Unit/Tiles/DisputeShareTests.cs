using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#disputes: node 1 lies. It has made 0 and others accept different values of many registers,
/// which a repair from 2 brings to 0, and it keeps every majority from agreeing on one.</summary>
public sealed class DisputeShareTests
{
    private static readonly TileId OtherTile = new(7, 0x5b);

    private readonly Bench _bench = new(values: new OwnedValues(), members: 5);

    [Theory]
    [InlineData("a")] // Before all of them in a page, or behind.
    [InlineData("z")]
    public void A_real_dispute_is_settled_after_a_while_whatever_else_the_same_node_brings(string real)
    {
        Prepare(_bench.Now.At, 300);
        Hold(0, real, 1, "a1");
        foreach (var node in new[] { 2, 3, 4 })
            Hold(node, real, 2, "b1");

        var minutes = 0;
        for (; Value(0, real) == "a1" && minutes < 60; minutes++)
        {
            _bench.Sent.Clear();
            Repair(_bench.Now.At, 300, real);
            for (var round = 0; round < 12; round++)
                Settle();
        }

        Assert.Equal("b1", Value(0, real));
        Assert.InRange(minutes, 1, 30);
    }

    [Fact]
    public void What_is_disputed_in_one_tile_keeps_out_nothing_of_another()
    {
        _bench.Replicas[0].Found([_bench.Now with { Tile = OtherTile }]);
        Prepare(_bench.Now.At, 300);
        var other = _bench.Now.At with { Tile = OtherTile };
        _bench.Stores[0].PutRegister(OtherTile, "k", new RegisterRow(Ballot(1), Ballot(1), Bytes("a1")));

        Repair(_bench.Now.At, 300);
        Mend(other, "k", 2, "b1");

        Assert.Contains(new Dispute(other, "k"), Disputes());
    }

    [Fact]
    public void All_disputes_are_bounded_and_each_round_asks_about_few()
    {
        for (var tile = 0u; tile < 100; tile++)
        {
            var id = new TileId(7, tile);
            _bench.Replicas[0].Found([_bench.Now with { Tile = id }]);
            for (var i = 0; i < 70; i++)
            {
                _bench.Stores[0].PutRegister(id, $"p{i:000}", new RegisterRow(Ballot(1), Ballot(1), Bytes("a1")));
                Mend(_bench.Now.At with { Tile = id }, $"p{i:000}", 2, "b1");
            }
        }

        var (rounds, all) = (0, 0);
        while (rounds < 20 && Disputes() is { IsEmpty: false } some)
        {
            Assert.InRange(some.Length, 1, 64);
            (rounds, all) = (rounds + 1, all + some.Length);
        }

        Assert.Equal((16, 1_024), (rounds, all));
    }

    private void Prepare(TileEpoch at, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Hold(0, $"p{i:000}", 1, "a1");
            Hold(2, $"p{i:000}", 2, "b1");
            Hold(3, $"p{i:000}", 1, "a1");
            Hold(4, $"p{i:000}", 2, "b1");
        }

        _bench.Lie = (node, request) => node == 1 && request is ReplicaRequest.Peek peek && peek.At == at
            ? new ReplicaReply.Peeked(Ballot(9), Bytes("c1")) : null;
    }

    private void Repair(TileEpoch at, int count, string? real = null)
    {
        foreach (var key in Enumerable.Range(0, count).Select(i => $"p{i:000}").Append(real).OfType<string>().Order())
            Mend(at, key, 2, "b1");
    }

    private void Settle()
    {
        foreach (var dispute in Disputes())
            _bench.Run(new DisputeSettling(_bench.Ids[0], _bench.Now, dispute.Key, CoordinatorOptions.Default));
    }

    private ImmutableArray<Dispute> Disputes() => Assert.IsType<ReplicaReply.Disputed>(
        _bench.Ask(0, new ReplicaRequest.GetDisputes())).Registers;

    private void Hold(int node, string key, ulong round, string value) => Assert.IsType<ReplicaReply.Accepted>(
        _bench.Ask(node, new ReplicaRequest.Accept(_bench.Now.At, key, Ballot(round), Bytes(value))));

    private void Mend(TileEpoch at, string key, ulong round, string value) => _bench.Ask(0, new ReplicaRequest.Mend(
        at, new TilePage([new(key, Ballot(round), Bytes(value))], [], null), Source: _bench.Ids[2]));

    private string Value(int node, string key) => Text(_bench.Stores[node].GetRegister(Tile, key).Value);

    private Ballot Ballot(ulong round) => new(1, round, _bench.Ids[0], 1);
}
