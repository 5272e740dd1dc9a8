using ChordChat.Core.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#what-a-member-may-ask: who may end an epoch.</summary>
public sealed class ChangeRightsTests
{
    [Fact]
    public void Members_of_the_epoch_before_may_not_end_this_one_but_hear_that_theirs_is_over()
    {
        var ids = new Bench().Ids;
        var before = new TileConfiguration(Bench.Tile, 0, 1, ids[..3]);
        var now = before.Next(ids[1..4]);
        var next = now.Next(ids[2..5]);
        var header = new TileHeader(now, TilePhase.Active, NextAccepted: next, Previous: before);

        Assert.Equal([false, true, true, true, true], ids.Select(node => header.MayChange(node, now.At)));
        Assert.True(header.MayChange(ids[0], before.At));
        Assert.False((header with { NextAccepted = null }).MayChange(ids[4], now.At));
        Assert.True((header with { NextAccepted = null, Pending = next }).MayChange(ids[4], now.At));
    }
}
