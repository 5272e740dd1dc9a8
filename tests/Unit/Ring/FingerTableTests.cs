using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: fingers".</summary>
public class FingerTableTests
{
    [Fact]
    public void A_refreshed_finger_serves_every_further_one_that_starts_before_its_owner()
    {
        var table = FingerTable.Of(Peers.At(0)).Fix(Peers.At(20)); // 1, 2, 4, 8, 16
        Assert.All(table.Fingers.Take(5), finger => Assert.Equal(Peers.At(20), finger));
        Assert.Null(table.Fingers[5]);
        Assert.Equal(5, table.Next);
        Assert.Equal(new RingId(32), table.NextStart);
    }

    [Fact]
    public void A_node_at_the_top_has_fingers_beyond_zero()
    {
        var self = Peers.At(UInt128.MaxValue);
        var table = FingerTable.Of(self).Fix(Peers.At(2)); // Starts 0, 1; then 3.
        Assert.Equal(new RingId(3), table.NextStart);
        Assert.Equal(2, table.Next);
        Assert.Equal((1, Peers.At(2)), Assert.Single(table.Distinct()));
    }

    [Fact]
    public void When_this_node_owns_the_point_all_further_fingers_are_empty_and_the_round_starts_again()
    {
        var table = FingerTable.Of(Peers.At(0)).Fix(Peers.At(20)).Fix(Peers.At(0));
        Assert.Equal(0, table.Next);
        Assert.All(table.Fingers.Skip(5), Assert.Null);
    }

    [Fact]
    public void A_peer_that_is_gone_leaves_every_finger()
    {
        var table = FingerTable.Of(Peers.At(0)).Fix(Peers.At(20)).Without(Peers.At(20));
        Assert.All(table.Fingers, Assert.Null);
    }

    [Fact]
    public void A_failed_lookup_leaves_the_finger_and_goes_on()
    {
        var table = FingerTable.Of(Peers.At(0)).Fix(Peers.At(20)).Skip();
        Assert.Equal(6, table.Next);
        Assert.Equal(0, (table with { Next = 127 }).Skip().Next);
    }
}
