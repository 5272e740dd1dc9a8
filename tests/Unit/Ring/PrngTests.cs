using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

public class PrngTests
{
    [Fact]
    public void Prng_is_SplitMix64()
    {
        var random = new Prng(1234567);
        Assert.Equal(6457827717110365317UL, random.Next());
        Assert.Equal(3203168211198807973UL, random.Next());
        Assert.Equal(9817491932198370423UL, random.Next());
    }

    [Fact]
    public void Below_reaches_every_number_and_never_the_limit()
    {
        var random = new Prng(1);
        var seen = Enumerable.Range(0, 1000).Select(_ => random.Below(7)).Distinct().Order();
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], seen);
    }
}
