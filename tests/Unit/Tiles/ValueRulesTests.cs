using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#value-rules: what one lying member writes stays with it, and rival claims of honest ones
/// end as before.</summary>
public sealed class ValueRulesTests
{
    private const ulong Far = 1UL << 40;

    private static readonly OwnedValues Rules = new();
    private static readonly CoordinatorOptions Options = CoordinatorOptions.Default;

    private readonly Bench _bench = new(values: Rules);

    private TileEpoch At => _bench.Now.At;

    [Theory]
    [InlineData("a1", "a2", true)]
    [InlineData("a1", "a1", true)]
    [InlineData("a1", "b2", false)]
    [InlineData("a2", "a1", false)]
    [InlineData("a1", "rubbish", false)]
    [InlineData("a1", "", false)]
    public void A_value_is_accepted_only_if_it_may_follow(string own, string next, bool isTaken)
    {
        Hold(0, 1, own);
        var reply = _bench.Ask(0, new ReplicaRequest.Accept(At, "k", Ballot(2), Bytes(next)));
        Assert.Equal(isTaken, reply is ReplicaReply.Accepted);
        Assert.Equal(isTaken ? next : own, Value(0));
    }

    [Theory]
    [InlineData("b1")]
    [InlineData("rubbish")]
    [InlineData("")]
    public void Repair_brings_no_value_that_does_not_follow(string lie)
    {
        Hold(0, 1, "a1");
        Hold(2, 1, "a1");
        Plant(1, 9, lie); // It answers before the other.
        foreach (var node in new[] { 0, 2 })
        {
            Mend(node, 9, lie);
            Settle(node);
            Assert.Equal("a1", Value(node));
        }
    }

    [Fact]
    public void One_that_brings_many_disputes_keeps_out_nobody_elses()
    {
        var liar = _bench.Ids[1];
        foreach (var key in Enumerable.Range(0, 300).Select(i => $"k{i}"))
        {
            var held = new RegisterRow(Ballot(1), Ballot(1), Bytes("a1"));
            _bench.Stores[0].PutRegister(Tile, key, held);
            _bench.Replicas[0].Handle(
                new ReplicaRequest.Accept(At, key, new(1, 2, liar, 1), Bytes("b1")), liar, 0);
        }

        Hold(0, 1, "a1");
        Mend(0, 9, "b1");

        var disputes = Disputes(0);
        Assert.InRange(disputes.Length, 2, 100);
        Assert.Contains(disputes, dispute => dispute.Key == "k");
    }

    [Fact]
    public void Repair_brings_no_ballot_that_nobody_could_outbid()
    {
        Hold(0, 1, "a1");
        Mend(0, Far, "a2");
        Assert.Equal("a1", Value(0));
        _bench.Ask(0, new ReplicaRequest.Mend(At, Page(new Ballot(7, 1, default, 1), "a2")));
        Assert.Equal("a1", Value(0));
        Mend(0, (1UL << 32) + 2, "a2"); // One step, docs/protocol.md#rounds-apart.
        Assert.Equal("a2", Value(0));
    }

    /// <summary>Two claim a name. One replica has accepted the loser, whose proposer then died; so its value is not
    /// what was chosen, and no other follows it.</summary>
    [Fact]
    public void A_replica_that_accepted_the_loser_of_two_claims_has_the_winner_after_one_repair()
    {
        Hold(0, 1, "a1");
        _bench.Deaf.Add(0);
        Assert.IsType<RegisterChangeOutcome.Stored>(Create("b1"));
        _bench.Deaf.Clear();
        var chosen = Peek(1).AcceptedBallot;

        Mend(0, chosen, "b1");
        Assert.Equal("a1", Value(0)); // One member's word is not enough.
        Settle(0);

        Assert.Equal("b1", Value(0));
        _bench.Deaf.Add(1);
        Assert.Equal("b2", Stored(Change(_ => Bytes("b2"))));
    }

    [Fact]
    public void The_loser_has_the_winner_too_once_it_has_refused_a_later_change()
    {
        Hold(0, 1, "a1");
        _bench.Deaf.Add(0);
        Create("b1");
        _bench.Deaf.Clear();
        Assert.Equal("b2", Stored(Change(_ => Bytes("b2"))));
        Settle(0);
        Assert.Equal("b2", Value(0));
    }

    /// <summary>Whoever has read in between got a promise above the winner's ballot from the loser.</summary>
    [Fact]
    public void The_loser_has_the_winner_though_it_has_promised_more_since()
    {
        Hold(0, 1, "a1");
        _bench.Deaf.Add(0);
        Create("b1");
        _bench.Deaf.Clear();
        Assert.IsType<ReplicaReply.Promised>(_bench.Ask(0, new ReplicaRequest.Prepare(At, "k", Ballot(9))));

        Mend(0, Peek(1).AcceptedBallot, "b1");
        Settle(0);

        Assert.Equal("b1", Value(0));
        Assert.IsType<ReplicaReply.Nack>(_bench.Ask(0, new ReplicaRequest.Prepare(At, "k", Ballot(8))));
    }

    [Fact]
    public void A_read_that_leaves_out_the_loser_tells_it_so()
    {
        Hold(0, 1, "a1");
        _bench.Deaf.Add(0);
        Create("b1");
        _bench.Deaf.Clear();
        Assert.Equal("b1", Read());

        Settle(0);

        Assert.Equal("b1", Value(0));
        _bench.Deaf.Add(2);
        Assert.Equal("b1", Read());
    }

    /// <summary>docs/protocol.md#disputes.</summary>
    [Fact]
    public void A_dispute_that_no_majority_answers_begins_again_with_the_next_repair()
    {
        Hold(0, 1, "a1");
        _bench.Deaf.Add(0);
        Create("b1");
        _bench.Deaf.Clear();
        Mend(0, Peek(1).AcceptedBallot, "b1");

        _bench.Deaf.Add(2);
        Settle(0);
        Assert.Equal("a1", Value(0));
        _bench.Deaf.Clear();
        Mend(0, Peek(1).AcceptedBallot, "b1");
        Settle(0);

        Assert.Equal("b1", Value(0));
    }

    /// <summary>Otherwise one liar could fill the places of all disputes.</summary>
    [Fact]
    public void A_dispute_ends_where_a_majority_confirms_the_own_value()
    {
        Hold(0, 1, "a1");
        Hold(1, 1, "a1");
        Mend(0, 9, "b1");
        _bench.Deaf.Add(2);
        Settle(0);
        Assert.Equal("a1", Value(0));
    }

    [Fact]
    public void A_value_of_a_later_ballot_is_not_given_up_for_an_older_one()
    {
        Hold(0, 5, "a1");
        Hold(1, 2, "b1");
        Hold(2, 2, "b1");
        _bench.Ask(0, new ReplicaRequest.Concede(At, "k", Ballot(2), Bytes("b1")));
        Assert.Equal("a1", Value(0));
    }

    [Theory]
    [InlineData(0, 9, "b1")]
    [InlineData(1, 9, "b1")]
    [InlineData(0, 9, "rubbish")]
    [InlineData(0, 1, "b1")] // As if it were the same.
    [InlineData(1, 1, "b1")]
    [InlineData(0, 1, "a2")]
    public void Reads_and_changes_go_on_beside_a_member_that_lies(int liar, ulong round, string lie)
    {
        foreach (var node in new[] { 0, 1, 2 })
            Hold(node, 1, "a1");
        _bench.Lie = (node, request) => (node == liar, request) switch
        {
            (true, ReplicaRequest.Peek) => new ReplicaReply.Peeked(Ballot(round), Bytes(lie)),
            (true, ReplicaRequest.Prepare) => new ReplicaReply.Promised(Ballot(round), Bytes(lie)),
            (true, ReplicaRequest.Accept) => new ReplicaReply.Accepted(),
            _ => null,
        };
        Assert.Equal("a1", Read());
        Assert.Equal("a2", Stored(Change(current => Bytes(Text(current) == "a1" ? "a2" : "a9"))));
        Assert.Equal("a2", Read());
    }

    [Fact]
    public void A_change_that_was_accepted_by_one_goes_on_though_another_lies()
    {
        Hold(0, 1, "a1");
        Hold(1, 2, "a2");
        Plant(2, 9, "b1");
        Assert.Equal("a2", Read());
    }

    /// <summary>Nobody can tell then who lies, or whether anybody does: what has the largest ballot counts.</summary>
    [Fact]
    public void Two_that_contradict_each_other_without_a_third_go_by_their_ballots()
    {
        Hold(0, 1, "a1");
        Hold(1, 2, "b1");
        _bench.Deaf.Add(2);
        var change = Change(_ => null);
        Assert.IsType<RegisterChangeOutcome.Unavailable>(change);
        Assert.Equal(("a1", "b1"), (Value(0), Value(1)));
        _bench.Deaf.Clear();
        Assert.Equal("b1", Read()); // The third has nothing, and that leads up to either.
    }

    private RegisterChangeOutcome Create(string value) =>
        Change(current => current.IsEmpty ? Bytes(value) : (ReadOnlyMemory<byte>?)null);

    private RegisterChangeOutcome Change(Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide)
    {
        var change = new RegisterChange(_bench.Now, "k", decide, _bench.Ballots, Options, 1, Rules);
        _bench.Run(change);
        return change.Outcome!;
    }

    private static string Stored(RegisterChangeOutcome outcome) =>
        Text(Assert.IsType<RegisterChangeOutcome.Stored>(outcome).Value);

    private string Read()
    {
        var read = new RegisterRead(_bench.Now, "k", _bench.Ballots, Options, 1, Rules);
        _bench.Run(read);
        return Text(Assert.IsType<RegisterReadOutcome.Agreed>(read.Outcome).Value);
    }

    private void Hold(int node, ulong round, string value) => Assert.IsType<ReplicaReply.Accepted>(
        _bench.Ask(node, new ReplicaRequest.Accept(At, "k", Ballot(round), Bytes(value))));

    /// <summary>Writes past all rules, as a node can on its own disk.</summary>
    private void Plant(int node, ulong round, string value) => _bench.Stores[node].PutRegister(
        Tile, "k", new RegisterRow(Ballot(round), Ballot(round), Bytes(value)));

    private void Mend(int node, ulong round, string value) => Mend(node, Ballot(round), value);

    private void Mend(int node, Ballot ballot, string value) => Assert.IsType<ReplicaReply.Done>(
        _bench.Ask(node, new ReplicaRequest.Mend(At, Page(ballot, value))));

    private static TilePage Page(Ballot ballot, string value) => new([new("k", ballot, Bytes(value))], [], null);

    private void Settle(int node)
    {
        TrySettle(node);
        Assert.Empty(Disputes(node));
    }

    private void TrySettle(int node)
    {
        foreach (var dispute in Disputes(node))
            _bench.Run(new DisputeSettling(_bench.Ids[node], _bench.Now, dispute.Key, Options));
    }

    private ImmutableArray<Dispute> Disputes(int node) => Assert.IsType<ReplicaReply.Disputed>(
        _bench.Ask(node, new ReplicaRequest.GetDisputes())).Registers;

    private ReplicaReply.Peeked Peek(int node) =>
        Assert.IsType<ReplicaReply.Peeked>(_bench.Ask(node, new ReplicaRequest.Peek(At, "k")));

    private string Value(int node) => Text(Peek(node).Value);

    private Ballot Ballot(ulong round) => new(1, round, _bench.Ids[0], 1);
}
