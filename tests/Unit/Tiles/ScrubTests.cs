using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Tests.Simulation.Replication;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#scrub: a copy with a damaged row answers nothing, and the next epoch mends it.</summary>
public class ScrubTests
{
    private readonly Bench _bench = new();

    [Theory]
    [InlineData(RowKind.Register)]
    [InlineData(RowKind.Message)]
    public void A_copy_with_a_damaged_row_answers_nothing_votes_for_nothing_and_is_no_source(RowKind kind)
    {
        Damage(0, kind);
        var at = _bench.Now.At;
        foreach (var request in (ReplicaRequest[])
                 [
                     new ReplicaRequest.Peek(at, "acct/a"),
                     new ReplicaRequest.Prepare(at, "acct/b", _bench.Ballots.Next(1, default)),
                     new ReplicaRequest.Add(at, "m", new MessageId(9), Bytes("x")),
                     new ReplicaRequest.Scan(at, "m", 0, 9),
                     new ReplicaRequest.Seal(at, _bench.Ballots.Next(1, default)),
                     new ReplicaRequest.Pull(at with { Epoch = 2 }, default, 999),
                     new ReplicaRequest.Pull(at, default, 999),
                 ])
            Assert.IsType<ReplicaReply.Behind>(_bench.Ask(0, request));
        var standing = Assert.IsType<ReplicaReply.Standing>(
            _bench.Ask(0, new ReplicaRequest.GetConfiguration(Tile)));
        Assert.Equal(TilePhase.Damaged, standing.Phase);
    }

    [Fact]
    public void Damage_outlives_a_restart()
    {
        Damage(0, RowKind.Register);
        var again = new Replica(_bench.Ids[0], _bench.Stores[0]);
        again.Found([_bench.Now]);
        Assert.Equal(TilePhase.Damaged, again.Header(Tile)!.Phase);
    }

    [Fact]
    public void A_damaged_row_is_met_by_a_read_as_by_a_scrub()
    {
        Keep([0, 1], 1, "hello");
        _bench.Stores[0].Flip(RowKind.Message, 0);
        Assert.IsType<ReplicaReply.Behind>(_bench.Ask(0, new ReplicaRequest.Scan(_bench.Now.At, "m", 0, 9)));
        Assert.Equal(TilePhase.Damaged, _bench.Replicas[0].Header(Tile)!.Phase);
    }

    [Fact]
    public void The_damaged_member_ends_the_epoch_and_learns_everything_from_the_others()
    {
        Append(1);
        Keep([0, 1], 1, "hello"); // The only other copy is not at the member that the learner would ask first.
        Keep([0, 2], 2, "there");
        Damage(0, RowKind.Message);
        Mend(0);

        var next = _bench.Replicas[0].Header(Tile)!;
        Assert.Equal((TilePhase.Active, 2ul), (next.Phase, next.Configuration.Epoch));
        Assert.Equal(_bench.Now.Members.AsEnumerable(), next.Configuration.Members);
        var scanned = Assert.IsType<ReplicaReply.Scanned>(
            _bench.Ask(0, new ReplicaRequest.Scan(next.Configuration.At, "m", 0, 9)));
        Assert.Equal(["hello", "there"], scanned.Messages.Select(message => Text(message.Content)).Order());
        Assert.Equal("1", Text(Assert.IsType<ReplicaReply.Peeked>(
            _bench.Ask(0, new ReplicaRequest.Peek(next.Configuration.At, "acct/a"))).Value));
    }

    /// <summary>A message stands at the damaged copy and at one other. If the damaged copy only dropped the row and
    /// counted on, the epoch could end with it and the third member as sources, and the message would be
    /// lost.</summary>
    [Fact]
    public void A_damaged_copy_does_not_count_among_the_sources_of_the_next_epoch()
    {
        Keep([0, 1], 1, "hello");
        Damage(0, RowKind.Message);
        var next = _bench.Now.Next([_bench.Ids[0], _bench.Ids[2], _bench.Ids[3]]);
        var change = new EpochChange(_bench.Now, next.Members, _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome);

        _bench.Deaf.Add(1);
        Assert.IsNotType<LearnerOutcome.Activated>(Learn(3));
        _bench.Deaf.Remove(1);
        Assert.IsType<LearnerOutcome.Activated>(Learn(3));
        Assert.Single(Assert.IsType<ReplicaReply.Scanned>(
            _bench.Ask(3, new ReplicaRequest.Scan(next.At, "m", 0, 9))).Messages);
    }

    [Fact]
    public void A_learner_that_finds_damage_does_not_become_active_with_what_it_had_copied()
    {
        var next = _bench.Now.Next([_bench.Ids[1], _bench.Ids[2], _bench.Ids[3]]);
        _bench.Ask(3, new ReplicaRequest.NewConfiguration(next, _bench.Now));
        var found = _bench.Replicas[3].Header(Tile)!.Newest.At;
        Assert.IsType<ReplicaReply.Behind>(
            _bench.Ask(3, new ReplicaRequest.Distrust(Tile, found with { Epoch = found.Epoch - 1 })));
        _bench.Ask(3, new ReplicaRequest.Distrust(Tile, found));
        Assert.IsType<ReplicaReply.Stale>(_bench.Ask(3, new ReplicaRequest.Activate(next.At)));
    }

    [Fact]
    public void A_damaged_leaver_goes_at_once()
    {
        _bench.Ask(0, new ReplicaRequest.NewConfiguration(_bench.Now.Next(_bench.Ids[1..4]), _bench.Now));
        _bench.Ask(0, new ReplicaRequest.Distrust(Tile));
        Assert.Equal(TilePhase.Retired, _bench.Replicas[0].Header(Tile)!.Phase);
    }

    [Fact]
    public void Only_the_node_itself_distrusts_its_rows() => Assert.Throws<ArgumentException>(() =>
        _bench.Replicas[0].Handle(new ReplicaRequest.Distrust(Tile), _bench.Ids[1], 0));

    private void Damage(int node, RowKind kind)
    {
        _bench.Ask(node, new ReplicaRequest.Accept(
            _bench.Now.At, "acct/z", _bench.Ballots.Next(1, default), Bytes("x")));
        Keep([node], 99, "y");
        _bench.Ask(1, new ReplicaRequest.Add(_bench.Now.At, "n", new MessageId(98), Bytes("z")));
        Assert.NotNull(_bench.Stores[node].Flip(kind, 0));
        Assert.IsType<ReplicaReply.Done>(_bench.Ask(node, new ReplicaRequest.Distrust(Tile)));
        foreach (var other in _bench.Ids.Take(3).Index().Where(other => other.Index != node))
            _bench.Ask(other.Index, new ReplicaRequest.Acknowledge(_bench.Now.At, "m", [new MessageId(99)]));
    }

    /// <summary>What the damaged node's own keeper does until it has nothing more to do.</summary>
    private void Mend(int node)
    {
        var keeper = new TileKeeper(_bench.Ballots, CoordinatorOptions.Default, StewardOptions.Default, 1);
        var outlook = new TileOutlook(_bench.Ids[..3], new HashSet<NodeId>());
        for (var now = 0L; now < 20_000; now += 500)
        {
            if (keeper.Next(_bench.Replicas[node].Header(Tile)!, outlook, now) is { } next)
                _bench.Run(next);
        }
    }

    private LearnerOutcome? Learn(int node)
    {
        var learner = new Learner(_bench.Ids[node], _bench.Replicas[node].Header(Tile)!, CoordinatorOptions.Default, 1);
        _bench.Run(learner);
        return learner.Outcome;
    }

    private void Append(int number)
    {
        var change = new RegisterChange(
            _bench.Now, "acct/a", _ => Bytes($"{number}"), _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        Assert.IsType<RegisterChangeOutcome.Stored>(change.Outcome);
    }

    private void Keep(int[] nodes, uint id, string text)
    {
        foreach (var node in nodes)
            _bench.Ask(node, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(id), Bytes(text)));
    }
}
