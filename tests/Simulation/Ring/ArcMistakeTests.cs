using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>docs/protocol.md, "Ring: state" and "Ten mistakes": the arc test, and the ways to get it wrong, against a
/// walk on a circle of 8 bits, for every triple.</summary>
public class ArcMistakeTests
{
    [Fact]
    public void The_arc_test_agrees_with_a_walk() => Assert.Null(FirstWrong(RingId.Between));

    [Fact]
    public void Forgetting_the_wrap_is_found() => Assert.NotNull(FirstWrong((a, x, b) => a < x && x < b));

    [Fact]
    public void Taking_equal_ends_for_an_empty_arc_is_found() =>
        Assert.NotNull(FirstWrong((a, x, b) => a < b ? a < x && x < b : a > b && (x > a || x < b)));

    [Fact]
    public void Including_an_end_is_found() =>
        Assert.NotNull(FirstWrong((a, x, b) => RingId.Between(a, x, b) || x == b));

    private static (byte A, byte X, byte B)? FirstWrong(Func<byte, byte, byte, bool> between)
    {
        for (var a = 0; a < 256; a++)
            for (var b = 0; b < 256; b++)
            {
                var inside = new bool[256];
                for (var x = (byte)(a + 1); x != (byte)b && x != (byte)a; x++)
                    inside[x] = true;
                for (var x = 0; x < 256; x++)
                    if (between((byte)a, (byte)x, (byte)b) != inside[x])
                        return ((byte)a, (byte)x, (byte)b);
            }

        return null;
    }
}
