using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#one-voice-is-a-claim: news that are no newer than what is known here are not harmless for
/// that.</summary>
public sealed class OldNewsTests
{
    private readonly Bench _bench = new();
    private readonly TileDirectory _directory;

    public OldNewsTests() => _directory = _bench.DirectoryWith(_bench.Now);

    private NodeId Liar => _bench.Ids[2];

    /// <summary>It would cut the tile at this one copy, and a second one would drop the rows.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(9, 4)]
    public void A_part_of_a_tile_that_is_no_newer_than_the_tile_is_made_up(ulong epoch, ulong end)
    {
        var known = _bench.Now with { Epoch = 5 };
        var half = Half(known, epoch, end);
        Assert.IsType<NewsVerdict.Impossible>(Judge(half, new TileHeader(known, TilePhase.Active)));
        Assert.IsType<NewsVerdict.Impossible>(Judge(half, null, known));
        Assert.True(_directory.Learn(known));
        Assert.False(_directory.Learn(half));
        Assert.Equal(known, _directory.At(Bench.Tile.Start));
    }

    [Fact]
    public void A_true_cut_is_a_claim_until_others_know_it()
    {
        var half = Half(_bench.Now, 2, 1);
        Assert.IsType<NewsVerdict.Claimed>(Judge(half, new TileHeader(_bench.Now, TilePhase.Active)));
        Assert.IsType<NewsVerdict.Claimed>(Judge(half, null));
        Assert.True(_directory.Learn(half));
        Assert.Equal(half, _directory.At(half.Tile.Start));
    }

    /// <summary>While a half is sealed, and its next epoch is known, too.</summary>
    [Fact]
    public void A_part_of_a_half_that_is_about_to_go_on_is_made_up()
    {
        var half = Half(_bench.Now, 1, 1);
        var header = new TileHeader(half, TilePhase.Sealed, Pending: half.Next(half.Members));
        Assert.IsType<NewsVerdict.Impossible>(Judge(Half(half, 2, 2), header));
    }

    /// <summary>It would become a member of a configuration that never was, and the liar's second voice.</summary>
    [Fact]
    public void Who_holds_nothing_of_a_tile_learns_no_other_configuration_of_the_epoch_it_knows()
    {
        var made = _bench.Now with { Members = [_bench.Ids[4], Liar] };
        Assert.Equal(_bench.Now, Assert.IsType<NewsVerdict.Outdated>(Judge(made, null)).Known);
        Assert.IsType<NewsVerdict.Outdated>(Judge(made, null, _bench.Now with { Epoch = 7 }));
        Assert.IsType<NewsVerdict.Believed>(Judge(_bench.Now, null)); // What it knows already.
    }

    [Fact]
    public void Old_news_of_a_tile_that_is_held_change_nothing()
    {
        var made = _bench.Now with { Members = [Liar] };
        var verdict = Assert.IsType<NewsVerdict.Believed>(Judge(made, _bench.Replicas[0].Header(Bench.Tile)));
        _bench.Ask(0, verdict.News);
        Assert.Equal((_bench.Now, TilePhase.Active), (
            _bench.Replicas[0].Header(Bench.Tile)!.Newest, _bench.Replicas[0].Header(Bench.Tile)!.Phase));
    }

    /// <summary>The node that has just decided: its replica knows it, the rest of the node does not yet. What is
    /// believed goes to both.</summary>
    [Fact]
    public void Old_news_never_stand_for_what_is_known()
    {
        var decided = new TileHeader(_bench.Now.Next(_bench.Now.Members), TilePhase.Active);
        foreach (var members in (NodeId[][])[[Liar], [.. _bench.Now.Members]])
        {
            var verdict = Assert.IsType<NewsVerdict.Believed>(Judge(_bench.Now.Next([.. members]), decided));
            Assert.Equal(new(decided.Newest, null), verdict.News);
        }
    }

    /// <summary>A learner that does not know whom to learn from waits for a second voice, which a tile with a single
    /// member before has not.</summary>
    [Fact]
    public void Who_learnt_from_the_only_member_that_a_tile_moves_here_knows_whom_to_learn_from()
    {
        var (alone, next) = (_bench.Now with { Members = [Liar] }, _bench.Now.Next([_bench.Ids[4]]));
        var news = new ReplicaRequest.NewConfiguration(next, alone);
        Assert.True(_directory.Learn(next, alone));
        var told = news with { Previous = null };
        var verdict = NewsJudge.Judge(Liar, told, null, _directory, CoordinatorOptions.Default);
        Assert.Equal(news, Assert.IsType<NewsVerdict.Believed>(verdict).News);
    }

    private NewsVerdict Judge(TileConfiguration next, TileHeader? header, TileConfiguration? hint = null) =>
        NewsJudge.Judge(
            Liar, new(next, null), header, _bench.DirectoryWith(hint ?? _bench.Now), CoordinatorOptions.Default);

    private TileConfiguration Half(TileConfiguration of, ulong epoch, ulong end) => of with
    {
        Tile = of.Tile.First,
        Epoch = epoch,
        Splits = [.. of.Splits, end],
        Members = [Liar],
    };
}
