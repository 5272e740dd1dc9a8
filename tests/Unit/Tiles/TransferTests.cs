using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#transfer.</summary>
public class TransferTests
{
    private const uint RowCount = 300;

    private readonly Bench _bench = new();

    [Fact]
    public void A_member_that_goes_on_fetches_only_what_it_lacks()
    {
        Fill(0, 1);
        Add(0, RowCount); // One message is at node 0 only.
        _bench.Ask(0, new ReplicaRequest.Acknowledge(_bench.Now.At, "m1", [new MessageId(1)]));
        End();

        Learn(1);

        Assert.Equal(TilePhase.Active, Header(1).Phase);
        Assert.InRange(Absorbed().Count(), 2, 20); // Those two and their neighbours of two buckets out of 256.
        Assert.NotNull(_bench.Stores[1].GetEntry(Tile, $"m{RowCount % 3}", new MessageId(RowCount))!.Value.Content);
        Assert.Null(_bench.Stores[1].GetEntry(Tile, "m1", new MessageId(1))!.Value.Content);
    }

    [Fact]
    public void Copies_that_are_equal_send_each_other_nothing()
    {
        Fill(0, 1);
        End();

        Learn(1);

        Assert.Equal(TilePhase.Active, Header(1).Phase);
        Assert.Empty(Absorbed());
    }

    /// <summary>docs/protocol.md#faults-of-one-request: whatever it was in that page, others may not have it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_page_that_the_own_replica_cannot_take_makes_the_learner_ask_another(int node)
    {
        Fill(0, 1, 2);
        Add(0, RowCount);
        End();
        _bench.Lie = (asked, request) => asked == node && PageOf(request)?.Entries.Any(IsBroken) == true
            ? new ReplicaReply.TooMany() : null;

        Assert.IsType<LearnerOutcome.Activated>(Learn(node).Outcome);

        static bool IsBroken(TransferredEntry entry) => entry.Id == new MessageId(RowCount);

        static TilePage? PageOf(ReplicaRequest request) =>
            (request as ReplicaRequest.Absorb)?.Page ?? (request as ReplicaRequest.Activate)?.Last;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_learner_whose_own_replica_takes_no_page_ends_as_stalled(int node)
    {
        Fill(0, 1);
        Add(0, RowCount);
        End();
        _bench.Lie = (asked, request) => asked == node && request is ReplicaRequest.Absorb or ReplicaRequest.Activate
            ? new ReplicaReply.TooMany() : null;
        Assert.IsType<LearnerOutcome.Stalled>(Learn(node).Outcome);
    }

    [Fact]
    public void A_newcomer_gets_everything_from_members_that_are_complete()
    {
        Fill(0, 1);
        End();
        Learn(0);
        Learn(1);
        _bench.Sent.Clear();

        Learn(3);

        Assert.Equal(TilePhase.Active, Header(3).Phase);
        Assert.Equal(
            _bench.Stores[0].ReadStamps(Tile, default, 9999), _bench.Stores[3].ReadStamps(Tile, default, 9999));
    }

    [Fact]
    public void A_digest_lives_on_into_the_next_epoch_and_counts_what_was_fetched()
    {
        Fill(0, 1);
        Add(0, RowCount);
        End();
        Learn(1);

        var followed = (ReplicaReply.Summary)_bench.Ask(1, new ReplicaRequest.Summarize(Header(1).Configuration.At));

        var again = new Replica(_bench.Ids[1], _bench.Stores[1]);
        var afresh = again.Handle(new ReplicaRequest.Summarize(Header(1).Configuration.At), _bench.Ids[1], 0);
        Assert.NotNull(followed.Root);
        Assert.Equal(followed, afresh);
    }

    [Fact]
    public void A_digest_that_is_not_worked_out_yet_is_waited_for()
    {
        for (var id = 0u; id < TrackedRows.RowsAtOnce + 10; id++)
        {
            Add(0, id);
            Add(1, id);
        }

        End();
        Learn(1);

        Assert.Equal(TilePhase.Active, Header(1).Phase);
        Assert.Empty(Absorbed());
    }

    [Fact]
    public void A_newcomer_rests_between_pages_as_long_as_its_share_of_the_wire_takes()
    {
        Fill(0, 1);
        End();
        Learn(0);
        var options = CoordinatorOptions.Default with { PullBytesMax = 4_000, CopyBytesPerSecond = 1_000 };
        var learner = new Learner(_bench.Ids[3], Header(3), options, 1);
        _bench.Effects.Clear();

        _bench.Run(learner);

        Assert.Equal(TilePhase.Active, Header(3).Phase);
        var timers = _bench.Effects.OfType<Effect.SetTimer>().Select(timer => timer.Delay).ToArray();
        var rests = timers.Zip(timers.Skip(1)) // The last before pulling goes on is the one that rings.
            .Where(pair => pair.First != options.RoundTimeout && pair.Second == options.RoundTimeout)
            .Select(pair => pair.First);
        var bytes = Pages().Sum(page => page.Bytes);
        Assert.InRange(rests.Sum(rest => rest.TotalSeconds), bytes / 1_000.0 - 9, bytes / 1_000.0);
    }

    /// <summary>docs/protocol.md#rounds-apart: the rounds of an ended epoch hold up nobody.</summary>
    [Fact]
    public void A_row_whose_rounds_somebody_raised_comes_along()
    {
        foreach (var node in new[] { 0, 1, 2 })
            Put(node, new(1, 1UL << 33, _bench.Ids[4], 1));
        End();
        Learn(3);
        Assert.Equal((TilePhase.Active, "v"), (Header(3).Phase, Value(3)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_raised_in_the_new_epoch_is_taken_from_a_majority_and_not_from_one_alone(bool isOfTwo)
    {
        var far = new Ballot(2, 1UL << 62, _bench.Ids[4], 1);
        Put(0, new(1, 5, _bench.Ids[4], 1));
        Put(1, new(1, 5, _bench.Ids[4], 1));
        End();
        Learn(0);
        Learn(1);
        Put(0, far);
        if (isOfTwo)
            Put(1, far);
        Learn(3);
        Assert.Equal((TilePhase.Active, "v"), (Header(3).Phase, Value(3)));
        Assert.Equal(isOfTwo, _bench.Stores[3].GetRegister(Tile, "k").AcceptedBallot == far);
    }

    /// <summary>docs/protocol.md#tombstones: of one that is forgotten too early the message comes again.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_tombstone_is_as_old_as_the_youngest_that_a_source_has(int first, int second)
    {
        const long day = 86_400_000;
        End();
        long[] ages = [1_000 * day, day];
        foreach (var age in (long[])[ages[first], ages[second]])
            _bench.Ask(3, new ReplicaRequest.Absorb(
                Header(3).Newest.At, new TilePage([], [new("m1", new(1), null, 0)], null, RanMs: age)));
        var here = _bench.Stores[3].GetEntry(Tile, "m1", new MessageId(1))!.Value;
        Assert.Equal((null, _bench.UnixMs - day), ((ReadOnlyMemory<byte>?)here.Content, here.SinceMs));
    }

    private string Value(int node) => Text(_bench.Stores[node].GetRegister(Tile, "k").Value);

    private void Put(int node, Ballot ballot) =>
        _bench.Stores[node].PutRegister(Tile, "k", new RegisterRow(ballot, ballot, Bytes("v")));

    private void Fill(params int[] nodes)
    {
        var ballot = _bench.Ballots.Next(1, default);
        foreach (var node in nodes)
            for (var i = 0u; i < RowCount; i++)
            {
                _bench.Ask(node, new ReplicaRequest.Accept(_bench.Now.At, $"k{i}", ballot, Bytes($"v{i}")));
                Add(node, i);
            }
    }

    private void Add(int node, uint id) =>
        _bench.Ask(node, new ReplicaRequest.Add(_bench.Now.At, $"m{id % 3}", new MessageId(id), Bytes("a")));

    /// <summary>Node 2 goes, node 3 comes; nodes 0 and 1 go on.</summary>
    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]], _bench.Ballots, CoordinatorOptions.Default, 1));

    private Learner Learn(int node)
    {
        var learner = new Learner(_bench.Ids[node], Header(node), CoordinatorOptions.Default, 1);
        _bench.Run(learner);
        return learner;
    }

    private TileHeader Header(int node) => _bench.Replicas[node].Header(Tile)!;

    private IEnumerable<object> Absorbed() =>
        Pages().SelectMany(page => page.Registers.Cast<object>().Concat(page.Entries.Cast<object>()));

    /// <summary>What learners united with their rows.</summary>
    private IEnumerable<TilePage> Pages() => _bench.Sent.Select(sent => sent.Request switch
    {
        ReplicaRequest.Absorb absorb => absorb.Page,
        ReplicaRequest.Activate activate => activate.Last,
        _ => null,
    }).OfType<TilePage>();
}
