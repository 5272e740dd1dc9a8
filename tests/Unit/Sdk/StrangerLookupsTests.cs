using ChordChat.Sdk.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Receiving.</summary>
public sealed class StrangerLookupsTests
{
    [Fact]
    public void Many_are_looked_up_at_once_and_then_two_a_second()
    {
        var lookups = new StrangerLookups();
        Assert.Equal(64, Taken(1_000, 100));
        Assert.Equal(0, Taken(1_400, 100));
        Assert.Equal(1, Taken(1_500, 100));
        Assert.Equal(20, Taken(11_500, 100));
        Assert.Equal(64, Taken(10_000_000, 100)); // Never more than that.

        int Taken(long nowMs, int wanted) => Enumerable.Range(0, wanted).Count(_ => lookups.TryTake(nowMs));
    }
}
