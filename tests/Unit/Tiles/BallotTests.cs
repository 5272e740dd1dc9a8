using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#register.</summary>
public class BallotTests
{
    private static readonly NodeId Low = new(1, 0);
    private static readonly NodeId High = new(2, 0);

    [Fact]
    public void Ballots_are_ordered_by_epoch_then_round_then_proposer_then_incarnation()
    {
        Ballot[] ascending =
        [
            default, new(1, 1, Low, 1), new(1, 1, Low, 2), new(1, 1, High, 1), new(1, 2, Low, 1), new(2, 1, Low, 1),
        ];
        for (var i = 1; i < ascending.Length; i++)
            Assert.True(ascending[i - 1] < ascending[i], $"{ascending[i - 1]} < {ascending[i]}");
        Assert.True(ascending[0].IsNone);
    }

    [Fact]
    public void A_source_never_repeats_a_ballot_and_beats_what_it_is_shown()
    {
        var source = new BallotSource(Low, 3);
        var first = source.Next(1, default);
        var second = source.Next(1, new Ballot(1, 10, High, 1));
        var third = source.Next(2, new Ballot(1, 99, High, 1));
        Assert.True(second > new Ballot(1, 10, High, 1) && third > new Ballot(1, 99, High, 1));
        Assert.Equal(3, new[] { first, second, third }.Select(ballot => ballot.Round).Distinct().Count());
        Assert.True(new BallotSource(Low, 4).Next(1, default) > first);
    }

    /// <summary>docs/protocol.md#what-a-member-may-ask.</summary>
    [Fact]
    public void A_round_out_of_all_reason_is_outbid_where_it_is_met_and_nowhere_else()
    {
        var source = new BallotSource(Low, 3);
        var spoiled = new Ballot(1, 1UL << 62, High, 1);
        var above = source.Next(1, spoiled);
        Assert.True(above > spoiled && !above.IsTooFarAbove(spoiled));
        var elsewhere = source.Next(1, default);
        Assert.True(elsewhere.Round < 10);
        Assert.NotEqual(above.Incarnation, elsewhere.Incarnation);
        Assert.True(spoiled.IsTooFarAbove(elsewhere));
        Assert.True(spoiled.IsTooFarAbove(new Ballot(0, 1UL << 62, High, 1)));
        Assert.Equal(Ballot.RoundMax, source.Next(1, new Ballot(1, Ballot.RoundMax, High, 1)).Round);
    }
}
