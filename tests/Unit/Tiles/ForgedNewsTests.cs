using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#one-voice-is-a-claim: one member that lies moves nobody to a configuration that it made
/// up.</summary>
public class ForgedNewsTests
{
    private const int Liar = 2;
    private static readonly CoordinatorOptions Patience = CoordinatorOptions.Default;
    private readonly Bench _bench = new();
    private ulong _told;

    private TileConfiguration Alone => _bench.Now with { Epoch = 101, Members = [_bench.Ids[Liar]] };

    private TileConfiguration SameMembers => _bench.Now with { Epoch = 101 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_forged_stale_moves_no_operation_and_the_honest_majority_ends_it(bool changes)
    {
        _bench.Lie = (node, request) => node == Liar && request is not ReplicaRequest.NewConfiguration
            ? new ReplicaReply.Stale(changes ? Another() : Alone, null) : null;
        Assert.IsType<RegisterChangeOutcome.Stored>(Run(Change(), change => change.Outcome));
        Assert.Equal("a", Text(Assert.IsType<RegisterReadOutcome.Agreed>(Run(Read(), read => read.Outcome)).Value));
        var add = new SetAdd(_bench.Now, "mbox", Message(1), Patience, 1);
        Assert.IsType<SetAddOutcome.Stored>(Run(add, _ => add.Outcome));
        Assert.Equal(_bench.Ids[..2].ToArray(), add.Copies.ToArray());
        var scan = new SetScan(_bench.Now, "mbox", Patience, 1);
        Assert.IsType<SetScanOutcome.Complete>(Run(scan, _ => scan.Outcome));
        Assert.DoesNotContain(_bench.Effects, effect => effect is Effect.Learned);
        Assert.InRange(_bench.Sent.Count, 1, 400);
    }

    [Fact]
    public void A_true_one_is_followed_when_one_more_node_says_the_same()
    {
        Change(_bench.Ids[2..5]);
        foreach (var node in new[] { 3, 4 })
            _bench.Run(new Learner(_bench.Ids[node], _bench.Replicas[node].Header(Tile)!, Patience, 1));
        _bench.Deaf.UnionWith([0, 2]);
        Assert.IsType<RegisterChangeOutcome.Stored>(Run(Change(), change => change.Outcome));
        var learned = Assert.Single(_bench.Effects.OfType<Effect.Learned>());
        Assert.Equal(_bench.Now.Next(_bench.Ids[2..5]), learned.Newest);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    [InlineData(1, 5)]
    [InlineData(3, 5)] // As after two cuts: newcomers have nobody else to ask.
    public void The_only_member_that_is_known_is_believed(int copies, ulong epoch)
    {
        var known = _bench.Now with { Members = [_bench.Ids[Liar]] };
        var next = known with { Epoch = epoch, Members = _bench.Ids[..3] };
        _bench.Lie = (node, request) => node == Liar && request.At.Epoch == 1
            ? new ReplicaReply.Stale(next, null) : null;
        var read = new RegisterRead(known, "k", _bench.Ballots, Patience with { Copies = copies }, 1);
        _bench.Run(read);
        Assert.Equal(epoch, read.Configuration.Epoch);
    }

    /// <summary>A cluster with one copy of everything: whoever missed a move has nobody else to hear it from.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public void With_one_copy_the_only_member_of_the_next_is_believed(int copies, bool isBelieved)
    {
        var known = _bench.Now with { Members = [new NodeId(1, 1)] };
        var moved = known.Next([_bench.Ids[0]]);
        var check = new NewsCheck(_bench.Ids[0], new(moved, known), known, Patience with { Copies = copies });
        _bench.Run(check);
        Assert.Equal(isBelieved ? moved : null, check.Outcome?.Next);
    }

    /// <summary>Somebody who is no member gets one vote of three for what he made up, and says that it was
    /// decided.</summary>
    [Theory]
    [InlineData("a member")]
    [InlineData("who voted")]
    [InlineData("a newcomer")]
    [InlineData("a newcomer who knows an older one")]
    public void One_vote_and_one_claim_move_nobody(string who)
    {
        var (teller, known) = (_bench.Ids[4], _bench.Now);
        var next = known.Next([teller, _bench.Ids[0], _bench.Ids[3]]);
        var ballot = new Ballot(known.Epoch, 1_000, teller, 1);
        Assert.IsType<ReplicaReply.SealGranted>(_bench.Ask(0, new ReplicaRequest.Seal(known.At, ballot)));
        Assert.IsType<ReplicaReply.Accepted>(_bench.Ask(0, new ReplicaRequest.Decide(known.At, ballot, next)));
        var news = new ReplicaRequest.NewConfiguration(next, known);
        if (who == "who voted")
        {
            var header = _bench.Replicas[0].Header(Tile)!;
            Assert.Equal(next, header.Vote);
            var directory = _bench.DirectoryWith(known);
            Assert.IsType<NewsVerdict.Claimed>(NewsJudge.Judge(teller, news, header, directory, Patience));
        }

        if (who == "a newcomer who knows an older one")
            known = known with { Epoch = known.Epoch - 1, Members = [teller, _bench.Ids[0], new NodeId(1, 1)] };
        var check = new NewsCheck(teller, news, known, Patience);
        _bench.Run(check);
        Assert.NotEqual(next, check.Outcome?.Next); // Whoever is behind may hear of the true one.
    }

    /// <summary>A newcomer whose directory is old: it believes what two say, but asks those of whom one tells first, or
    /// it would not know whom to ask what was before.</summary>
    [Fact]
    public void What_was_before_is_asked_of_those_whom_one_member_names()
    {
        var before = _bench.Now;
        ImmutableArray<NodeId> members = [_bench.Ids[Liar], _bench.Ids[0], _bench.Ids[3]];
        Change(members);
        var next = before.Next(members);
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.GetConfiguration
            ? new ReplicaReply.Standing(next, TilePhase.Active, null) : null;
        var known = before with { Epoch = 0, Members = [_bench.Ids[Liar], new(1, 1), new(1, 2)] };
        var check = new NewsCheck(_bench.Ids[Liar], new(next, null), known, Patience);
        _bench.Run(check);
        Assert.Equal((next, before), (check.Outcome?.Next, check.Outcome?.Previous));
    }

    /// <summary>Of five members two were drained or lost since, so that only one of those who decided is left, and a
    /// newcomer that has heard it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_two_say_is_decided_is_believed_although_most_who_decided_are_gone(bool oneHasOnlyVoted)
    {
        NodeId[] gone = [new(7, 1), new(7, 2), new(7, 3)];
        var known = _bench.Now with { Members = [.. gone, _bench.Ids[0], _bench.Ids[1]] };
        var next = known.Next([gone[0], gone[1], _bench.Ids[0], _bench.Ids[1], _bench.Ids[2]]);
        _bench.Lie = (node, request) => request is not ReplicaRequest.GetConfiguration ? null
            : node == 1 ? new ReplicaReply.Standing(known, TilePhase.Active, null)
            : node == 0 && oneHasOnlyVoted ? new ReplicaReply.Standing(known, TilePhase.Sealed, null) { Vote = next }
            : new ReplicaReply.Standing(next, TilePhase.Active, known);
        var check = new NewsCheck(_bench.Ids[2], new(next, known), known, Patience with { Copies = 5 });
        _bench.Run(check);
        Assert.Equal(oneHasOnlyVoted ? null : next, check.Outcome?.Next);
    }

    /// <summary>Of three members one that voted and the teller are a majority; of five they are not.</summary>
    [Theory]
    [InlineData(3, true)]
    [InlineData(5, false)]
    public void Who_voted_believes_a_member_at_once_where_two_are_a_majority(int members, bool atOnce)
    {
        var bench = new Bench(members: members);
        var (teller, next) = (bench.Ids[1], bench.Now.Next(bench.Now.Members));
        var ballot = new Ballot(bench.Now.Epoch, 1, teller, 1);
        Assert.IsType<ReplicaReply.SealGranted>(bench.Ask(0, new ReplicaRequest.Seal(bench.Now.At, ballot)));
        Assert.IsType<ReplicaReply.Accepted>(bench.Ask(0, new ReplicaRequest.Decide(bench.Now.At, ballot, next)));
        var verdict = NewsJudge.Judge(
            teller, new(next, bench.Now), bench.Replicas[0].Header(Tile)!, bench.DirectoryWith(bench.Now), Patience);
        Assert.Equal(atOnce, verdict is NewsVerdict.Believed);
    }

    /// <summary>Whoever tells, asks or comes home hears an answer of one node; what follows would drop all rows.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_forged_answer_makes_nobody_drop_its_rows(bool comesHome)
    {
        Assert.IsType<RegisterChangeOutcome.Stored>(Run(Change(), change => change.Outcome));
        _bench.Lie = (node, request) => node == Liar && request is not ReplicaRequest.Peek
            ? new ReplicaReply.Standing(SameMembers, TilePhase.Active, null) : null;
        if (comesHome)
            _bench.Ask(0, new ReplicaRequest.Doubt(Tile));
        var header = _bench.Replicas[0].Header(Tile)!;
        _bench.Run(comesHome
            ? new Homecoming(_bench.Ids[0], header.Configuration, Patience)
            : new Announcement(_bench.Ids[0], header, Patience));
        Assert.Equal(_bench.Now, _bench.Replicas[0].Header(Tile)!.Newest);
        Assert.False(_bench.Stores[0].GetRegister(Tile, "k").Value.IsEmpty);
    }

    [Fact]
    public void A_forged_answer_ends_no_learner()
    {
        Assert.IsType<RegisterChangeOutcome.Stored>(Run(Change(), change => change.Outcome));
        Change([_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]]);
        _bench.Lie = (node, request) => node == Liar && request is not ReplicaRequest.NewConfiguration
            ? new ReplicaReply.Stale(Alone, null) : null;
        var learner = new Learner(_bench.Ids[3], _bench.Replicas[3].Header(Tile)!, Patience, 1);
        _bench.Run(learner);
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
        Assert.Equal("a", Text(_bench.Stores[3].GetRegister(Tile, "k").Value));
    }

    /// <summary>Another epoch and another made-up node each time.</summary>
    private TileConfiguration Another() =>
        _bench.Now with { Epoch = 101 + ++_told, Members = [_bench.Ids[Liar], new NodeId(_told, 1), _bench.Ids[0]] };

    private void Change(ImmutableArray<NodeId> members)
    {
        var change = new EpochChange(_bench.Now, members, _bench.Ballots, Patience, 1);
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome);
        _bench.Effects.Clear();
    }

    private RegisterChange Change() => new(_bench.Now, "k", _ => Bytes("a"), _bench.Ballots, Patience, 1);

    private RegisterRead Read() => new(_bench.Now, "k", _bench.Ballots, Patience, 1);

    private TOutcome? Run<T, TOutcome>(T coordinator, Func<T, TOutcome?> outcome)
        where T : Coordinator
        where TOutcome : class
    {
        _bench.Run(coordinator);
        return outcome(coordinator);
    }
}
