using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: state": the one arc test.</summary>
public class BetweenTests
{
    [Fact]
    public void Between_is_a_walk_around_the_circle_for_every_triple_of_8_bit_points()
    {
        var inside = new bool[256];
        for (var a = 0; a < 256; a++)
            for (var b = 0; b < 256; b++)
            {
                Array.Clear(inside);
                for (var walk = (a + 1) & 255; walk != b && walk != a; walk = (walk + 1) & 255)
                    inside[walk] = true;
                for (var x = 0; x < 256; x++)
                    if (RingId.Between((byte)a, (byte)x, (byte)b) != inside[x])
                        Assert.Fail($"Between({a}, {x}, {b}) must be {inside[x]}");
            }
    }

    [Fact]
    public void Between_wraps_at_the_top_of_128_bits()
    {
        var top = new RingId(UInt128.MaxValue);
        var zero = new RingId(0);
        var one = new RingId(1);
        Assert.True(RingId.Between(top, zero, one));
        Assert.False(RingId.Between(one, zero, top));
        Assert.True(RingId.Between(top, one, top));
        Assert.False(RingId.Between(top, top, top));
    }

    [Fact]
    public void Distance_and_finger_starts_wrap_at_the_top()
    {
        var top = new RingId(UInt128.MaxValue);
        Assert.Equal(UInt128.One, top.DistanceTo(new RingId(0)));
        Assert.Equal(UInt128.Zero, top.DistanceTo(top));
        Assert.Equal(new RingId(0), top.FingerStart(0));
        Assert.Equal(new RingId((UInt128.One << 127) - 1), top.FingerStart(127));
    }
}
