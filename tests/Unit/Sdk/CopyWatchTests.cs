using ChordChat.Sdk.Sessions;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Session: when a copy of a profile must be at work.</summary>
public sealed class CopyWatchTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Sessions_that_newer_ones_of_the_same_device_end_in_a_row_are_a_copys_work()
    {
        var watch = new CopyWatch(_time);
        Assert.Equal([false, false, true], Ended(watch, 3));
    }

    [Fact]
    public void What_ended_long_ago_is_not_in_a_row()
    {
        var watch = new CopyWatch(_time);
        Assert.Equal([false, false], Ended(watch, 2));
        _time.Now += CopyWatch.RowMax;
        Assert.Equal([false, false, true], Ended(watch, 3));
    }

    [Fact]
    public void A_session_that_ended_in_another_way_breaks_the_row()
    {
        var watch = new CopyWatch(_time);
        Assert.Equal([false, false], Ended(watch, 2));
        Assert.False(watch.Ended(isByCopy: false));
        Assert.Equal([false, false, true], Ended(watch, 3));
    }

    private static List<bool> Ended(CopyWatch watch, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => watch.Ended(isByCopy: true))];
}
