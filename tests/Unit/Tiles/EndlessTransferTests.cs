using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Repair;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#endless-transfer: a member of a tile lies to whoever fetches its rows.</summary>
public sealed class EndlessTransferTests
{
    private const int Liar = 0; // Asked first.
    private const int RowCount = 300;

    private readonly Bench _bench = new();
    private int _made;

    public static TheoryData<string> NoPages =>
    [
        "stands still", "goes back", "rows from before", "rows out of order", "rows behind its end", "one row twice",
        "more than a page",
    ];

    public static TheoryData<string> Endless => ["not worked out", "made up", "nothing that differs"];

    [Theory]
    [MemberData(nameof(NoPages))]
    public void A_member_that_goes_on_asks_another_at_once_when_it_gets_no_page(string lie)
    {
        Fill();
        End();
        var learner = Learn(1, lie);
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
        Assert.Equal(0, _bench.Rings);
        Assert.InRange(Asked(Liar), 1, 2);
    }

    [Theory]
    [MemberData(nameof(Endless))]
    public void A_member_that_goes_on_asks_all_others_when_pages_do_not_end(string lie)
    {
        Fill();
        End();
        Assert.IsType<LearnerOutcome.Activated>(Learn(1, lie).Outcome);
        Assert.InRange(_bench.Rings, 1, 2);
    }

    [Theory]
    [MemberData(nameof(NoPages))]
    [InlineData("no rows")]
    [InlineData("not full")]
    [InlineData("not worked out")]
    public void A_newcomer_asks_another_at_once_when_it_gets_no_page(string lie)
    {
        Fill();
        End();
        var learner = Learn(3, lie);
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
        Assert.InRange(Asked(Liar), 1, 2);
        Assert.InRange(_bench.Rings, 0, 25); // It rests now and then.
        AssertHasAll(3);
    }

    /// <summary>Whether another one has sent everything before or is away at first.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_newcomer_asks_all_others_when_pages_do_not_end(bool isAwayAtFirst)
    {
        Fill();
        End();
        if (isAwayAtFirst)
            _bench.Ignores = (node, request) => node == 1 && _bench.Rings < 20;
        var learner = Learn(3, "made up and full");
        Assert.IsType<LearnerOutcome.Activated>(learner.Outcome);
        Assert.InRange(_bench.Rings, 1, 80);
        AssertHasAll(3);
    }

    /// <summary>It is no reason to load all three with every transfer.</summary>
    [Fact]
    public void A_newcomer_loads_no_more_than_it_needs_while_those_are_honest()
    {
        Fill();
        End();
        Assert.IsType<LearnerOutcome.Activated>(Learn(3, "").Outcome);
        Assert.Equal(0, Asked(2));
    }

    /// <summary>The one other member that lives is waited for, and the other asked again when it is back.</summary>
    [Fact]
    public void Somebody_who_was_away_is_asked_again_beside_one_that_does_not_end()
    {
        Fill();
        End();
        _bench.Ignores = (node, request) => node == 2 && _bench.Rings < 5;
        Assert.IsType<LearnerOutcome.Activated>(Learn(1, "made up").Outcome);
        Assert.InRange(_bench.Rings, 5, 8);
    }

    [Theory]
    [MemberData(nameof(NoPages))]
    [InlineData("not worked out")]
    public void A_repair_ends_when_it_gets_no_page(string lie)
    {
        Fill();
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Missing missing
            ? Page(lie, missing.After, Replica.PageBytesMax / 2)
            : null;
        var repair = new TileRepair(
            _bench.Ids[1], _bench.Ids[Liar], _bench.Now, [.. Enumerable.Repeat((UInt128)1, 256)],
            CoordinatorOptions.Default);
        _bench.Run(repair);
        Assert.True(repair.IsDone);
        Assert.InRange(repair.FetchedCount, 0, 1);
        Assert.InRange(_bench.Sent.Count(sent => sent.Request is ReplicaRequest.Missing), 1, 2);
    }

    private Learner Learn(int node, string lie)
    {
        _bench.Lie = (asked, request) => asked == Liar && request is ReplicaRequest.Pull pull
            ? Page(lie, pull.After, pull.BytesMax)
            : null;
        var options = CoordinatorOptions.Default with
        {
            PullBytesMax = 4_000,
            CopyBytesPerSecond = 20_000, // 2 s for each of them.
            FirstSourceMax = TimeSpan.FromSeconds(6),
            LastSourceMax = TimeSpan.FromSeconds(2),
        };
        var learner = new Learner(_bench.Ids[node], _bench.Replicas[node].Header(Tile)!, options, 1);
        _bench.Run(learner, passedMax: 200);
        return learner;
    }

    private ReplicaReply.Pulled? Page(string lie, TileCursor after, int full) => lie switch
    {
        "" => null,
        "stands still" => Pulled([Made(full)], after),
        "goes back" => Pulled([Made(full)], after == default ? Here : At("made1")),
        "rows from before" => Pulled([after == default ? Made(full) : Row("made1", full)], Here),
        "rows out of order" => Pulled([Row("made9", 0), Row("made8", full)], At("made9")),
        "rows behind its end" => Pulled([Made(full), Row("n", 0)], At("made9")),
        "one row twice" => Pulled([Row("made9", 0), Row("made9", full)], At("made9")),
        "more than a page" => Pulled([Made(2 * full), Made(0)], null),
        "no rows" => Pulled([], At($"made{_made++ + 1_000_000}")),
        "not full" => Pulled([Made(10)], Here),
        "not worked out" => Pulled([], after),
        "nothing that differs" => Pulled([], At($"made{_made++ + 1_000_000}")),
        "made up" => Pulled([Made(10)], Here),
        _ => Pulled([Made(full)], Here),
    };

    /// <summary>The last one that was made.</summary>
    private TileCursor Here => At($"made{_made + 999_999}");

    private TransferredRegister Made(int bytes) => Row($"made{_made++ + 1_000_000}", bytes);

    private TransferredRegister Row(string key, int bytes) =>
        new(key, new Ballot(1, 1, _bench.Ids[Liar], 1), new byte[bytes]);

    private static TileCursor At(string key) => new(Entries: false, key, default);

    private static ReplicaReply.Pulled Pulled(ImmutableArray<TransferredRegister> rows, TileCursor? next) =>
        new(new TilePage(rows, [], next), Complete: false);

    private int Asked(int node) => _bench.Sent.Count(sent =>
        sent.To == _bench.Ids[node] && sent.Request is ReplicaRequest.Pull);

    private void AssertHasAll(int node) => Assert.Equal(
        RowCount, _bench.Stores[node].ReadPage(Tile, default, 1 << 20).Registers.Count(row => row.Key[0] == 'k'));

    private void Fill()
    {
        var ballot = _bench.Ballots.Next(1, default);
        for (var node = 0; node < 3; node++)
            for (var i = 0; i < RowCount; i++)
                _bench.Ask(node, new ReplicaRequest.Accept(_bench.Now.At, $"k{i}", ballot, Bytes($"v{i}")));
    }

    /// <summary>A newcomer takes nobody's place: 0 to 2 go on, 3 comes.</summary>
    private void End() => _bench.Run(new EpochChange(
        _bench.Now, [.. _bench.Ids[..4]], _bench.Ballots, CoordinatorOptions.Default, 1));
}
