using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#register: changes and reads against three replicas.</summary>
public class RegisterTests
{
    private readonly Bench _bench = new();

    [Fact]
    public void What_was_stored_is_read_in_one_round()
    {
        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Stored>(Create("a")).Value));
        _bench.Sent.Clear();
        Assert.Equal("a", Text(Assert.IsType<RegisterReadOutcome.Agreed>(Read()).Value));
        Assert.All(_bench.Sent, send => Assert.IsType<ReplicaRequest.Peek>(send.Request));
    }

    [Fact]
    public void An_unknown_name_is_read_as_absent_and_leaves_no_row()
    {
        Assert.True(Assert.IsType<RegisterReadOutcome.Agreed>(Read()).Value.IsEmpty);
        Assert.Equal(default, _bench.Stores[0].GetRegister(Tile, "k"));
    }

    [Fact]
    public void The_second_creator_is_refused_and_sees_the_first()
    {
        Create("a");
        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Refused>(Create("b")).Current));
    }

    [Fact]
    public void A_null_array_and_an_empty_one_leave_the_value_alone()
    {
        Create("a");
        var change = Change(_ => (byte[]?)null);
        _bench.Run(change);
        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Refused>(change.Outcome).Current));
    }

    [Fact]
    public void Without_a_majority_nothing_has_changed_and_the_newest_copy_is_told()
    {
        Create("a");
        _bench.Deaf.UnionWith([1, 2]);
        Assert.Equal(new RegisterChangeOutcome.Unavailable(1, 2), Create("b"));
        var read = Assert.IsType<RegisterReadOutcome.Unavailable>(Read());
        Assert.Equal(("a", 1, 2), (Text(read.Newest!.Shown), read.Reached, read.Needed));
        _bench.Deaf.Add(0);
        Assert.Null(Assert.IsType<RegisterReadOutcome.Unavailable>(Read()).Newest);
    }

    /// <summary>One copy makes up a value under a large ballot and refuses everything else.</summary>
    [Fact]
    public void Without_a_majority_every_copy_that_answered_is_told_and_at_any_time()
    {
        Create("a");
        _bench.Deaf.Add(2);
        _bench.Lie = (node, request) => node != 1 ? null
            : request is ReplicaRequest.Peek
                ? new ReplicaReply.Peeked(new Ballot(1, 1_000, _bench.Ids[1], 1), Bytes("made up"))
                : new ReplicaReply.Nack(new Ballot(1, 1_000, _bench.Ids[1], 1));
        var read = new RegisterRead(_bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1);
        var asked = read.Start().OfType<Effect.Send>().ToArray();
        Assert.Null(read.SoFar.Newest);
        read.On(_bench.Ids[0], asked[0].Request, _bench.Ask(0, asked[0].Request));
        Assert.Equal(["a"], read.SoFar.Newest!.All.Select(Text));
        read.On(_bench.Ids[1], asked[1].Request, _bench.Lie(1, asked[1].Request)!);
        Assert.Equal(["made up", "a"], read.SoFar.Newest!.All.Select(Text));

        var newest = Assert.IsType<RegisterReadOutcome.Unavailable>(Read()).Newest!;
        Assert.Equal(["made up", "a"], newest.All.Select(Text));
    }

    /// <summary>The answers to Accept are lost: the caller must not be told "failed", and its retry finds its own
    /// work.</summary>
    [Fact]
    public void A_change_whose_answers_are_lost_is_unknown_and_its_retry_finds_it()
    {
        var change = Change(current => current.IsEmpty ? Bytes("a") : (ReadOnlyMemory<byte>?)null);
        var prepares = change.Start().OfType<Effect.Send>().ToArray();
        var accepts = prepares
            .SelectMany(send => change.On(send.To, send.Request, Answer(send)).OfType<Effect.Send>().ToArray())
            .ToArray();
        Assert.Equal(3, accepts.Length);
        foreach (var send in accepts)
            Answer(send);
        while (!change.IsDone)
            change.OnTimeout();
        Assert.IsType<RegisterChangeOutcome.Unknown>(change.Outcome);
        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Refused>(Create("a")).Current));
    }

    /// <summary>docs/protocol.md#what-a-member-may-ask: no member can spoil a register for the others, and one that was
    /// spoiled before is written again.</summary>
    [Fact]
    public void A_ballot_far_ahead_is_not_promised_and_a_row_that_holds_one_can_still_be_written()
    {
        var far = new Ballot(1, 1UL << 62, _bench.Ids[4], 1);
        foreach (var node in new[] { 0, 1, 2 })
        {
            Assert.Equal(
                new ReplicaReply.Nack(new Ballot(1, 1UL << 32, default, 0)), // One step, and not the wanted one.
                _bench.Ask(node, new ReplicaRequest.Prepare(_bench.Now.At, "k", far)));
            _bench.Stores[node].PutRegister(Tile, "k", new RegisterRow(far, default, default));
        }

        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Stored>(Create("a")).Value));
        Assert.Equal("a", Text(Assert.IsType<RegisterReadOutcome.Agreed>(Read()).Value));
    }

    [Fact]
    public void An_outrun_proposer_beats_the_ballot_it_was_shown()
    {
        var rival = new BallotSource(_bench.Ids[4], 1).Next(1, new Ballot(1, 500, default, 0));
        foreach (var node in new[] { 0, 1, 2 })
            _bench.Ask(node, new ReplicaRequest.Prepare(_bench.Now.At, "k", rival));
        Assert.IsType<RegisterChangeOutcome.Stored>(Create("a"));
        Assert.Equal(6 + 3, _bench.Sent.Count); // Refused once, then promised and accepted.
    }

    /// <summary>docs/protocol.md#rounds-apart. It answers first, so its word is among those that end the
    /// round.</summary>
    [Theory]
    [InlineData(2, 1UL)] // Of another epoch.
    [InlineData(1, 1UL << 62)]
    [InlineData(1, 0UL)]
    public void What_one_makes_up_of_its_ballots_does_not_hide_what_the_others_say(ulong epoch, ulong round)
    {
        var rival = new BallotSource(_bench.Ids[4], 1).Next(1, new Ballot(1, 500, default, 0));
        foreach (var node in new[] { 1, 2 })
            _bench.Ask(node, new ReplicaRequest.Prepare(_bench.Now.At, "k", rival));
        _bench.Lie = (node, request) => node == 0 && request is ReplicaRequest.Prepare
            ? new ReplicaReply.Nack(new Ballot(epoch, round, _bench.Ids[0], 1))
            : null;
        Assert.Equal("a", Text(Assert.IsType<RegisterChangeOutcome.Stored>(Create("a")).Value));
        var prepares = _bench.Sent.Select(send => send.Request).OfType<ReplicaRequest.Prepare>().ToList();
        Assert.InRange(prepares.Max(prepare => prepare.Ballot.Round), 501UL, 600UL);
    }

    [Fact]
    public void An_operation_goes_on_at_the_newer_configuration_it_hears_of()
    {
        Create("a");
        var change = new EpochChange(_bench.Now, _bench.Ids[2..5], _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        foreach (var node in new[] { 2, 3, 4 })
        {
            var header = _bench.Replicas[node].Header(Tile)!;
            _bench.Run(new Learner(_bench.Ids[node], header, CoordinatorOptions.Default, 1));
        }

        _bench.Effects.Clear();
        Assert.Equal("a", Text(Assert.IsType<RegisterReadOutcome.Agreed>(Read()).Value));
        Assert.Equal(2UL, Assert.Single(_bench.Effects.OfType<Effect.Learned>()).Newest.Epoch);
        var decided = Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next;
        Assert.Equal(decided, _bench.Replicas[3].Header(Tile)!.Configuration);
    }

    /// <summary>docs/protocol.md#session-proofs: who may change nothing there has no slow read.</summary>
    [Fact]
    public void A_peek_writes_nothing_and_shows_the_newest_value_of_a_majority()
    {
        Create("a");
        _bench.Deaf.Add(1);
        var change = Change(_ => Bytes("b"));
        _bench.Run(change);
        Assert.IsType<RegisterChangeOutcome.Stored>(change.Outcome);
        _bench.Deaf.Clear();
        _bench.Deaf.Add(2); // Who has the new value; the one that is left disagrees with node 1.
        _bench.Sent.Clear();

        var peek = new RegisterRead(_bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1) { IsPeek = true };
        _bench.Run(peek);

        Assert.Equal("b", Text(Assert.IsType<RegisterReadOutcome.Shown>(peek.Outcome).Newest.Shown));
        Assert.All(_bench.Sent, sent => Assert.IsType<ReplicaRequest.Peek>(sent.Request));
    }

    /// <summary>docs/protocol.md#value-rules: one copy that lies, without a majority.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_nobody_honest_can_have_written_is_not_the_newest_value(bool isPeek)
    {
        Create("a1");
        if (!isPeek)
            _bench.Deaf.UnionWith([1, 2]);
        _bench.Lie = (node, request) => node == 0 && request is ReplicaRequest.Peek
            ? new ReplicaReply.Peeked(new Ballot(1, 1UL << 40, _bench.Ids[0], 1), Bytes("?"))
            : null;
        var rules = new OwnedValues();
        var read = new RegisterRead(_bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1, rules)
        {
            IsPeek = isPeek,
        };
        _bench.Run(read);
        if (isPeek)
            Assert.Equal("a1", Text(Assert.IsType<RegisterReadOutcome.Shown>(read.Outcome).Newest.Shown));
        else
            Assert.Null(Assert.IsType<RegisterReadOutcome.Unavailable>(read.Outcome).Newest);
    }

    private ReplicaReply Answer(Effect.Send send) => _bench.Ask(_bench.Ids.IndexOf(send.To), send.Request);

    private RegisterChange Change(Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide) =>
        new(_bench.Now, "k", decide, _bench.Ballots, CoordinatorOptions.Default, 1);

    private RegisterChangeOutcome Create(string value)
    {
        var change = Change(current => current.IsEmpty ? Bytes(value) : (ReadOnlyMemory<byte>?)null);
        _bench.Run(change);
        return change.Outcome!;
    }

    private RegisterReadOutcome Read()
    {
        var read = new RegisterRead(_bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(read);
        return read.Outcome!;
    }
}
