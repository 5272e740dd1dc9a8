using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/operations.md, "Limits": how fast a key log grows.</summary>
public sealed class KeyLogPaceTests
{
    private const long Now = 1_700_000_000_000;
    private static readonly long Each = (long)KeyLogPace.Each.TotalMilliseconds;

    [Fact]
    public void So_many_come_at_once_and_then_one_at_a_time()
    {
        var pace = Full(Now);
        Assert.Equal(KeyLogPace.Each, pace.Wait(Now));
        Assert.Equal(TimeSpan.FromMilliseconds(1), pace.Wait(Now + Each - 1));
        Assert.Equal(TimeSpan.Zero, pace.Wait(Now + Each));

        var next = pace.Counting(Now + Each);
        Assert.Equal(KeyLogPace.Each, next.Wait(Now + Each));
        Assert.Equal(TimeSpan.Zero, next.Wait(Now + 2 * Each));
    }

    [Fact]
    public void In_a_day_of_trying_all_the_time_no_more_come_than_144_and_those_at_once()
    {
        var (pace, count) = (default(KeyLogPace), 0);
        for (var at = Now; at < Now + (long)TimeSpan.FromDays(1).TotalMilliseconds; at += 1_000)
            if (pace.Wait(at) == TimeSpan.Zero)
                (pace, count) = (pace.Counting(at), count + 1);
        Assert.InRange(count, 144, 144 + (int)KeyLogPace.AtOnceMax);
    }

    [Fact]
    public void A_node_whose_clock_is_ahead_keeps_nobody_out_for_longer()
    {
        Assert.Equal(TimeSpan.Zero, Full(Now + (long)TimeSpan.FromDays(1_000).TotalMilliseconds).Wait(Now));

        var little = Full(Now + Each / 2);
        Assert.Equal(KeyLogPace.Each, little.Wait(Now));
        Assert.Equal(TimeSpan.Zero, little.Wait(Now + Each / 2 + Each));
    }

    private static KeyLogPace Full(long at) =>
        Enumerable.Range(0, (int)KeyLogPace.AtOnceMax).Aggregate(default(KeyLogPace), (pace, _) => pace.Counting(at));
}
