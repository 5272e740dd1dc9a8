using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Repair;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#repair: copies that differ become equal, and no faster than the rules allow.</summary>
public class RepairTests
{
    private readonly Bench _bench = new();

    private TileEpoch At => _bench.Now.At;

    [Fact]
    public void Copies_with_the_same_rows_have_the_same_digest_in_whatever_order_they_came()
    {
        for (var id = 1u; id <= 9; id++)
        {
            Keep(0, id);
            Keep(1, 10 - id);
        }

        Bury(0, 3);
        Assert.NotEqual(Root(0), Root(1));
        Bury(1, 3);
        Assert.Equal(Root(0), Root(1));
        Accept(0, "k", 1, "v");
        Assert.NotEqual(Root(0), Root(1));
        Accept(1, "k", 1, "v");
        Assert.Equal(Root(0), Root(1));
    }

    /// <summary>docs/protocol.md#no-empty-mail.</summary>
    [Fact]
    public void A_message_without_content_is_passed_over_and_a_mark_is_not()
    {
        var page = new TilePage(
            [], [new("m", new(1), Bytes(""), 0), new("m", new(2), Bytes("x"), 0), new("m", new(3), null, 0)], null);
        _bench.Ask(0, new ReplicaRequest.Mend(At, page));
        Assert.Equal([2u, 3u], Ids(0));

        _bench.Run(new EpochChange(_bench.Now, [.. _bench.Ids[..4]], _bench.Ballots, CoordinatorOptions.Default, 1));
        _bench.Ask(3, new ReplicaRequest.Absorb(_bench.Replicas[3].Header(Tile)!.Newest.At, page));
        Assert.Equal([2u, 3u], Ids(3));

        IEnumerable<uint> Ids(int node) =>
            _bench.Stores[node].ReadPage(Tile, default, 1 << 20).Entries.Select(entry => (uint)entry.Id.Value);
    }

    [Fact]
    public void A_digest_that_followed_the_writes_is_the_one_worked_out_from_the_rows()
    {
        Root(0); // From here it follows.
        for (var id = 1u; id <= 50; id++)
            Keep(0, id);
        for (var id = 40u; id <= 60; id++)
            Bury(0, id);
        for (var round = 1ul; round <= 5; round++)
            Accept(0, $"k{round % 2}", round, $"{round}");
        Prepare(0, "only promised", 9);
        Assert.Equal(new ReplicaReply.Summary(Root(0)), Afresh(0));
    }

    [Fact]
    public void A_digest_worked_out_in_steps_counts_what_is_written_in_between_once()
    {
        for (var id = 1u; id <= 10_000; id++)
            Keep(0, id);
        Assert.Equal(new ReplicaReply.Summary(null), _bench.Ask(0, new ReplicaRequest.Summarize(At)));
        Keep(0, 20_000);
        Bury(0, 5);
        Bury(0, 9_999);
        Bury(0, 0);
        Accept(0, "k", 1, "v");
        Assert.Equal(new ReplicaReply.Summary(Root(0)), Afresh(0));
    }

    [Fact]
    public void Rows_that_are_missing_or_older_are_fetched_and_nothing_else()
    {
        for (var id = 1u; id <= 300; id++)
        {
            Keep(0, id);
            if (id % 7 != 0)
                Keep(1, id);
        }

        Bury(0, 20);
        Bury(1, 30);
        Accept(0, "k", 2, "new");
        Accept(1, "k", 1, "old");
        Accept(1, "other", 1, "x");
        Assert.Equal(42 + 1 + 1, Repair(1, from: 0));
        Assert.Equal("new", Value(1, "k"));
        Assert.IsType<ReplicaReply.Buried>(Keep(1, 20));
        Repair(0, from: 1);
        Assert.Equal(_bench.Stores[0].Contents(Tile), _bench.Stores[1].Contents(Tile));
        Assert.Equal(Root(0), Root(1));
        Assert.Equal(0, Repair(1, from: 0));
    }

    [Fact]
    public void A_large_difference_comes_in_pieces()
    {
        var large = new string('x', 3000);
        for (var id = 1u; id <= 9_000; id++)
            _bench.Ask(0, new ReplicaRequest.Add(At, $"m{id % 3}", new MessageId(id), Bytes(id <= 500 ? large : "x")));
        Root(1); // Nothing, and it follows while the rows come.
        Assert.Equal(9_000, Repair(1, from: 0));
        Assert.Equal(Root(0), Root(1));
        Assert.True(_bench.Sent.Count(send => send.Request is ReplicaRequest.Missing) >= 4);
    }

    /// <summary>Why a ballot of an older epoch may be taken: whoever took part in this epoch has promised
    /// more.</summary>
    [Fact]
    public void A_value_is_taken_like_a_late_accept_and_never_below_a_promise()
    {
        Accept(0, "a", 3, "three");
        Accept(0, "b", 3, "three");
        Accept(0, "c", 3, "three");
        Prepare(1, "a", 4);
        Prepare(1, "b", 3);
        Accept(1, "c", 5, "five");
        Repair(1, from: 0);
        Assert.Equal(("", "three", "five"), (Value(1, "a"), Value(1, "b"), Value(1, "c")));
        Assert.IsType<ReplicaReply.Nack>(_bench.Ask(1, new ReplicaRequest.Prepare(At, "b", Ballot(3))));
    }

    [Fact]
    public void Nothing_is_compared_or_fetched_across_epochs()
    {
        Keep(0, 1);
        var theirs = Compare(1, with: 0);
        _bench.Ask(0, new ReplicaRequest.Seal(At, Ballot(1)));
        Assert.Empty(Assert.IsType<ReplicaReply.Differing>(
            _bench.Ask(0, new ReplicaRequest.Compare([new(At, 1)]))).Tiles);
        Run(1, 0, theirs);
        Assert.Empty(_bench.Stores[1].Contents(Tile));
        Assert.IsType<ReplicaReply.Sealed>(_bench.Ask(0, new ReplicaRequest.Mend(At, TilePage.Empty)));
    }

    /// <summary>docs/protocol.md#rounds-apart.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0)] // It has the register, and an older value.
    public void A_row_whose_rounds_somebody_raised_is_taken_after_some_repairs(int missing)
    {
        var far = new Ballot(1, (3UL << 32) + 5, _bench.Ids[4], 1);
        if (missing == 0)
            Accept(1, "k", 3, "a");
        _bench.Stores[0].PutRegister(_bench.Now.Tile, "k", new RegisterRow(far, far, Bytes("b")));
        var repairs = 0;
        while (Value(1, "k") != "b" && repairs < 10)
        {
            Repair(1, from: 0);
            repairs++;
        }

        Assert.Equal(4, repairs);
    }

    [Fact]
    public void A_row_of_an_ended_epoch_is_taken_whatever_its_round()
    {
        var far = new Ballot(0, 1UL << 50, _bench.Ids[4], 1);
        var page = new TilePage([new("k", far, Bytes("b"))], [], null);
        _bench.Ask(1, new ReplicaRequest.Mend(At, page));
        Assert.Equal("b", Value(1, "k"));
    }

    /// <summary>docs/protocol.md#value-rules: one of them at least does not lie.</summary>
    [Fact]
    public void What_a_majority_holds_is_conceded_whatever_its_round()
    {
        Accept(1, "k", 3, "a");
        _bench.Ask(1, new ReplicaRequest.Concede(At, "k", Ballot(1UL << 40), Bytes("b")));
        Assert.Equal("b", Value(1, "k"));
        _bench.Ask(1, new ReplicaRequest.Concede(At, "k", Ballot(1UL << 41) with { Epoch = 2 }, Bytes("c")));
        Assert.Equal("b", Value(1, "k"));
    }

    private ReplicaReply Keep(int node, uint id) =>
        _bench.Ask(node, new ReplicaRequest.Add(At, "m", new MessageId(id), Bytes("hello")));

    private void Bury(int node, uint id) =>
        _bench.Ask(node, new ReplicaRequest.Acknowledge(At, "m", [new MessageId(id)]));

    private void Accept(int node, string key, ulong round, string value) => Assert.IsType<ReplicaReply.Accepted>(
        _bench.Ask(node, new ReplicaRequest.Accept(At, key, Ballot(round), Bytes(value))));

    private void Prepare(int node, string key, ulong round) =>
        _bench.Ask(node, new ReplicaRequest.Prepare(At, key, Ballot(round)));

    private Ballot Ballot(ulong round) => new(1, round, _bench.Ids[0], 1);

    private string Value(int node, string key) =>
        Text(Assert.IsType<ReplicaReply.Peeked>(_bench.Ask(node, new ReplicaRequest.Peek(At, key))).Value);

    private UInt128 Root(int node)
    {
        while (true)
        {
            var reply = _bench.Ask(node, new ReplicaRequest.Summarize(At));
            if (Assert.IsType<ReplicaReply.Summary>(reply).Root is { } root)
                return root;
        }
    }

    /// <summary>What a restarted replica says once it is ready.</summary>
    private ReplicaReply.Summary Afresh(int node)
    {
        var again = new Replica(_bench.Ids[node], _bench.Stores[node]);
        var summary = new ReplicaReply.Summary(null);
        while (summary.Root is null)
            summary = (ReplicaReply.Summary)again.Handle(new ReplicaRequest.Summarize(At), _bench.Ids[node], 0);
        return summary;
    }

    private TileSums? Compare(int node, int with)
    {
        Root(with);
        var reply = _bench.Ask(with, new ReplicaRequest.Compare([new(At, Root(node))]));
        return Assert.IsType<ReplicaReply.Differing>(reply).Tiles.SingleOrDefault();
    }

    private int Repair(int node, int from) => Run(node, from, Compare(node, from));

    private int Run(int node, int from, TileSums? theirs)
    {
        if (theirs is null)
            return 0;
        var repair = new TileRepair(
            _bench.Ids[node], _bench.Ids[from], _bench.Now, theirs.Sums, CoordinatorOptions.Default);
        _bench.Run(repair);
        Assert.True(repair.IsDone);
        return repair.FetchedCount;
    }
}
