using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#value-rules, where a tile's members change: node 2 goes, node 3 comes, and one of the old
/// members lies about a register.</summary>
public sealed partial class ContestTests
{
    private static readonly string[] Keys = ["k1", "k2", "k3", "k4", "k5"];

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

    /// <summary>It gives thousands of such rows, and then has all the time in the world.</summary>
    [Fact]
    public void Nobody_waits_for_one_that_does_not_answer_while_the_others_agree()
    {
        foreach (var key in Keys)
        {
            Hold(key, "a1", 0, 2);
            Plant(key, 1, "b1");
        }

        End();
        _bench.Ignores = (node, request) => node is 1 or 3 && IsOfContest(request);
        var before = _bench.Rings;

        Learn(0);

        Assert.All(Keys, key => Assert.Equal("a1", Value(0, key)));
        Assert.Equal((before, TilePhase.Active), (_bench.Rings, Phase(0)));
    }

    /// <summary>docs/protocol.md#endless-transfer: or one that lies could begin one contest after the other.</summary>
    [Fact]
    public void Whoever_has_not_sent_everything_is_not_asked_on_once_the_others_are_enough()
    {
        foreach (var key in Keys)
            Hold(key, "a1", 0, 2);
        End();
        var sent = 0;
        _bench.Lie = (node, request) => node == 1 && request is ReplicaRequest.Pull { BytesMax: > 1 }
            ? Page(sent++ < Keys.Length ? Keys[sent - 1] : $"z{1_000_000 + sent}")
            : null;

        _bench.Run(new Learner(_bench.Ids[0], Header(0), CoordinatorOptions.Default, 1), passedMax: 30);

        Assert.All(Keys, key => Assert.Equal("a1", Value(0, key)));
        Assert.Equal(TilePhase.Active, Phase(0));
        var settling = _bench.Sent.SkipWhile(send => !IsOfContest(send.Request) || send.To != _bench.Ids[1]);
        Assert.InRange(settling.Count(IsForMore), 0, 60); // Two rounds of what the bench passes on.
        Assert.Equal(TilePhase.Active, Phase(0));

        ReplicaReply.Pulled Page(string key) => new(
            new TilePage(
                [new(key, new Ballot(1, 99, _bench.Ids[1], 1), Bytes("b1"))], [], new(Entries: false, key, default)),
            Complete: false);

        bool IsForMore(Effect.Send send) =>
            send.To == _bench.Ids[1] && send.Request is ReplicaRequest.Pull { BytesMax: > 1 };
    }

    /// <summary>One that lies may keep it busy.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void A_member_that_answers_late_or_is_overloaded_is_asked_again(int learner, bool isSilent)
    {
        foreach (var key in Keys)
        {
            Hold(key, "a1", 0, 2);
            Plant(key, 1, "b1");
        }

        End();
        if (isSilent)
            _bench.Ignores = (node, request) => IsNoAnswer(node, request);
        else
            _bench.Lie = (node, request) => IsNoAnswer(node, request) ? new ReplicaReply.TooMany() : null;

        Learn(learner);

        Assert.All(Keys, key => Assert.Equal("a1", Value(learner, key)));
        Assert.Equal(TilePhase.Active, Phase(learner));

        // A newcomer needs two.
        bool IsNoAnswer(int node, ReplicaRequest request) =>
            node == 2 - (learner == 3 ? 2 : 0) && IsOfContest(request) && _bench.Rings < 8;
    }

    [Fact]
    public void Contests_wait_together_and_no_longer_than_they_may()
    {
        foreach (var key in Keys)
        {
            Hold(key, "a1", 0, 2);
            Plant(key, 1, "b1");
        }

        End();
        _bench.Ignores = (node, request) => node != 0 && IsOfContest(request);
        var before = _bench.Rings;

        Learn(0);

        Assert.Equal(TilePhase.Active, Phase(0));
        Assert.InRange(_bench.Rings - before, 10, 13);
    }

    [Fact]
    public void Nobody_waits_for_one_that_is_known_to_be_dead()
    {
        Hold("a1", 0, 2);
        Plant(1, "b1");
        End();
        _bench.Deaf.Add(2);
        var before = _bench.Rings;

        _bench.Run(new Learner(_bench.Ids[0], Header(0), CoordinatorOptions.Default, 1)
        {
            Answers = node => node != _bench.Ids[2],
        });

        Assert.Equal(TilePhase.Active, Phase(0));
        Assert.InRange(_bench.Rings - before, 0, 2);
    }

    /// <summary>While one is heard, the next page contradicts another key.</summary>
    [Fact]
    public void Every_contest_is_settled_once()
    {
        Hold("j", "a1", 0, 2);
        Hold("k", "a1", 0, 2);
        End();
        var learner = new Learner(_bench.Ids[0], Header(0), CoordinatorOptions.Default, 1);
        var first = Drive(learner, learner.Start()).Single();

        var asked = Drive(learner, Give(learner, first, "j", isLast: false));
        var second = asked.Single(send => !IsOfContest(send.Request));
        Assert.All(asked.Where(send => send != second), send => Assert.True(IsAskedOf("j", send.Request)));
        asked.AddRange(Drive(learner, Give(learner, second, "k", isLast: true)));
        asked.AddRange(Drive(learner, learner.OnTimeout()));
        var settling = asked.Where(send => IsOfContest(send.Request)).SelectMany(send => Drive(
            learner, learner.On(send.To, send.Request, _bench.Ask(_bench.Ids.IndexOf(send.To), send.Request))))
            .Where(send => send.Request is ReplicaRequest.Believe).ToList();

        Assert.Equal(["j", "k"], settling.Select(send => ((ReplicaRequest.Believe)send.Request).Key).Order());
        foreach (var send in settling)
            Assert.Empty(Drive(learner, Answer(learner, send)));
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
    }

    /// <summary>docs/protocol.md#contested-registers: rows of the new epoch, far ahead, of names that nobody has; and
    /// the liar is asked first.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Whoever_makes_up_rows_without_end_makes_nobody_remember_many(int node)
    {
        foreach (var key in Keys)
            Hold(key, "a1", 0, 1, 2);
        End();
        var (sent, most) = (0, 0);
        var learner = new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default with
        {
            FirstSourceMax = TimeSpan.FromSeconds(9),
            LastSourceMax = TimeSpan.FromSeconds(3),
        }, 1);
        _bench.Lie = (asked, request) =>
        {
            most = Math.Max(most, learner.ContestCount);
            return asked != 0 || request is not ReplicaRequest.Pull ? null
                : new ReplicaReply.Pulled(IsOfContest(request) ? TilePage.Empty : MadeUp(), Complete: false);
        };

        _bench.Run(learner, passedMax: 3_000);

        Assert.All(Keys, key => Assert.Equal("a1", Value(node, key)));
        Assert.Equal(TilePhase.Active, Phase(node));
        Assert.InRange(most, 500, 64 + 510);

        TilePage MadeUp()
        {
            var rows = Enumerable.Range(0, 510).Select(_ => new TransferredRegister(
                $"z{1_000_000 + sent++}", new Ballot(2, 1UL << 40, _bench.Ids[0], 1), Bytes("b1")));
            return new([.. rows], [], new(Entries: false, $"z{1_000_000 + sent - 1}", default));
        }
    }

    /// <summary>docs/protocol.md#rounds-apart: somebody has raised the rounds of honest rows, in thousands.</summary>
    [Fact]
    public void Thousands_of_contested_rows_are_learned()
    {
        var keys = Enumerable.Range(0, 3_000).Select(i => $"k{i}").ToList();
        End();
        Complete(0);
        Complete(1);
        foreach (var key in keys)
            foreach (var node in new[] { 0, 1 })
            {
                var far = new Ballot(2, 1UL << 40, _bench.Ids[0], 1);
                _bench.Stores[node].PutRegister(Tile, key, new RegisterRow(far, far, Bytes("a1")));
            }

        Learn(3);

        Assert.Equal(TilePhase.Active, Phase(3));
        Assert.All(keys, key => Assert.Equal("a1", Value(3, key)));
    }

    /// <summary>docs/protocol.md#rounds-apart: all lead up to the row of the one that lies, and it would hold up every
    /// later one.</summary>
    [Theory]
    [InlineData(9, 1UL)]
    [InlineData(2, 1UL << 62)]
    [InlineData(2, 1UL << 32)]
    public void One_alone_gives_nobody_a_ballot_far_ahead(ulong epoch, ulong round)
    {
        Hold("a1", 0, 2);
        Plant(1, "b1");
        End();
        var far = new TransferredRegister("k", new Ballot(epoch, round, _bench.Ids[1], 1), Bytes("a1"));
        _bench.Lie = (node, request) => node == 1 && IsOfContest(request)
            ? new ReplicaReply.Pulled(new TilePage([far], [], null), Complete: false)
            : null;

        Learn(0);

        Assert.Equal(("a1", TilePhase.Active), (Value(0), Phase(0)));
        Assert.Equal(1UL, _bench.Stores[0].GetRegister(Tile, "k").AcceptedBallot.Epoch);
    }

    /// <summary>What was heard of this node itself is of the time when the contest began.</summary>
    [Theory]
    [InlineData(true, "a1", "a2")] // The newer row follows, so all lead up to it.
    [InlineData(false, "a1", "a1")] // A real majority, without the own row, says otherwise.
    [InlineData(false, "", "a2")]
    public void A_settled_row_is_older_than_the_one_here_only_by_a_real_majority(bool votes, string heard, string end)
    {
        End();
        var (older, newer) = (new Ballot(1, 1, _bench.Ids[0], 1), new Ballot(1, 5, _bench.Ids[0], 1));
        _bench.Stores[0].PutRegister(Tile, "k", new RegisterRow(newer, newer, Bytes("a2")));
        var row = heard.Length > 0
            ? new HeardRegister(new("k", older, Bytes(heard)), true)
            : new HeardRegister(new("k", older, Bytes("b1")), false);

        _bench.Ask(0, new ReplicaRequest.Believe(Header(0).Newest.At, "k", [row, row], votes, Majority: 2));

        Assert.Equal(end, Value(0));
    }

    /// <summary>Answers what the learner asks of its own replica, but for what is settled; the rest is
    /// returned.</summary>
    private List<Effect.Send> Drive(Learner learner, IReadOnlyList<Effect> effects)
    {
        var rest = new List<Effect.Send>();
        foreach (var send in effects.OfType<Effect.Send>().ToList())
            if (send.To == _bench.Ids[0] && send.Request is not ReplicaRequest.Believe)
                rest.AddRange(Drive(learner, Answer(learner, send)));
            else
                rest.Add(send);
        return rest;
    }

    private IReadOnlyList<Effect> Answer(Learner learner, Effect.Send send) =>
        learner.On(send.To, send.Request, _bench.Ask(0, send.Request));

    /// <summary>A page that contradicts one key.</summary>
    private IReadOnlyList<Effect> Give(Learner learner, Effect.Send pull, string key, bool isLast)
    {
        var page = new TilePage(
            [new(key, new Ballot(1, 99, _bench.Ids[1], 1), Bytes("b1"))], [],
            isLast ? null : new(Entries: false, key, default));
        return learner.On(pull.To, pull.Request, new ReplicaReply.Pulled(page, Complete: false));
    }

    private static bool IsAskedOf(string key, ReplicaRequest request) =>
        request is ReplicaRequest.Pull { BytesMax: 1 } pull && pull.After == TileCursor.Before(key);

    private static bool IsOfContest(ReplicaRequest request) => request is ReplicaRequest.Pull { BytesMax: 1 };

    private void Hold(string value, params int[] nodes) => Hold("k", value, nodes);

    private void Hold(string key, string value, params int[] nodes)
    {
        var ballot = _bench.Ballots.Next(1, default);
        foreach (var node in nodes)
            Assert.IsType<ReplicaReply.Accepted>(
                _bench.Ask(node, new ReplicaRequest.Accept(_bench.Now.At, key, ballot, Bytes(value))));
    }

    /// <summary>Writes past all rules, as a node can on its own disk.</summary>
    private void Plant(int node, string value) => Plant("k", node, value);

    private void Plant(string key, int node, string value)
    {
        var ballot = new Ballot(1, 99, _bench.Ids[1], 1);
        _bench.Stores[node].PutRegister(Tile, key, new RegisterRow(ballot, ballot, Bytes(value)));
    }

    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1));

    private void Learn(int node) =>
        _bench.Run(new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default, 1));

    /// <summary>It says that it is complete without having learned anything.</summary>
    private void Complete(int node) => _bench.Ask(node, new ReplicaRequest.Activate(Header(node).Newest.At));

    private TileHeader Header(int node) => _bench.Replicas[node].Header(Tile)!;

    private TilePhase Phase(int node) => Header(node).Phase;

    private string Value(int node, string key = "k") => Text(_bench.Stores[node].GetRegister(Tile, key).Value);
}
