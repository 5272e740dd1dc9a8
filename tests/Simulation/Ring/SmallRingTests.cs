using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>docs/protocol.md, "Ring: small rings" and "Ring: start".</summary>
public class SmallRingTests
{
    public static TheoryData<string> Orders => ["1", "12", "21", "123", "132", "213", "231", "312", "321"];

    [Theory, MemberData(nameof(Orders))]
    public void A_ring_of_one_two_or_three_becomes_exact_in_every_order_of_ids(string order)
    {
        foreach (var start in new[] { (UInt128)0, UInt128.MaxValue - 2, (UInt128)1 << 100 })
        {
            var whole = new WholeRing(1, new RingOptions(), order.Select(place => start + (UInt128)(place - '1')));
            whole.StartAll();
            whole.World.Run(TimeSpan.FromSeconds(1));
            var fault = whole.Settle(TimeSpan.FromSeconds(10));
            Assert.True(fault is null, fault);
        }
    }

    [Fact]
    public void A_ring_grows_past_the_small_ring_rule_and_shrinks_back_under_it()
    {
        var options = new RingOptions { SuccessorCount = 3 };
        var whole = new WholeRing(5, options, [10, 20, 30]);
        whole.StartAll();
        for (var i = 0; i < 6; i++)
        {
            whole.Join(15 + (UInt128)i * 10);
            Assert.Null(whole.Settle(TimeSpan.FromSeconds(30)));
        }

        Assert.All(whole.Ring.Running, node => Assert.False(node.Ring.IsSmall));
        for (var i = 0; i < 6; i++)
        {
            whole.World.Crash(i);
            Assert.Null(whole.Settle(TimeSpan.FromSeconds(60)));
        }

        whole.World.Run(TimeSpan.FromSeconds(60));
        Assert.All(whole.Ring.Running, node => Assert.True(node.Ring.IsSmall, $"N is {node.Ring.MemberCount}"));
    }

    [Theory, InlineData(5), InlineData(20), InlineData(40)]
    public void After_a_power_cut_of_all_the_ring_is_back(int count)
    {
        var whole = new WholeRing(9, new RingOptions(), Enumerable.Range(0, count).Select(i => (UInt128)i * 1000));
        whole.StartAll();
        whole.World.Run(TimeSpan.FromSeconds(2));
        var first = whole.Settle(TimeSpan.FromSeconds(30));
        Assert.True(first is null, first);
        foreach (var number in whole.World.Nodes)
            whole.World.Crash(number);
        foreach (var number in whole.World.Nodes)
            whole.Restart(number);
        whole.World.Run(TimeSpan.FromSeconds(2));
        var again = whole.Settle(TimeSpan.FromSeconds(30));
        Assert.True(again is null, again);
    }

    [Fact]
    public void A_node_that_finds_nobody_waits()
    {
        var whole = new WholeRing(3, new RingOptions(), [1, 2, 3]);
        whole.World.Crash(1);
        whole.World.Crash(2);
        whole.Start(0);
        whole.World.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(RingPhase.Joining, whole.Ring[0].Ring.Phase);
    }
}
