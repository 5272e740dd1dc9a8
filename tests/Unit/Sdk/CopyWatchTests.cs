using ChordChat.Sdk.Sessions;
using ChordChat.Tests.Unit.Hosting;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Session: when a copy of a profile must be at work.</summary>
public sealed class CopyWatchTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Sessions_that_newer_ones_of_the_same_device_end_in_a_row_are_a_copys_work()
    {
        var watch = Watch(nodes: 3);
        Assert.Equal([false, false, true], Ended(watch, "n1", "n2", "n1"));
    }

    [Fact]
    public void One_nodes_word_is_not_enough_while_others_are_known()
    {
        Assert.All(Ended(Watch(nodes: 2), [.. Enumerable.Repeat("n1", 20)]), Assert.False);
        Assert.Equal([false, false, true], Ended(Watch(nodes: 1), "n1", "n1", "n1"));
    }

    [Fact]
    public void What_ended_long_ago_is_not_in_a_row()
    {
        var watch = Watch(nodes: 2);
        Assert.Equal([false, false], Ended(watch, "n1", "n2"));
        _time.Now += CopyWatch.RowMax;
        Assert.Equal([false, false, true], Ended(watch, "n1", "n2", "n1"));
    }

    /// <summary>A slow node lets a client in that has gone elsewhere, and so ends the session that it got there.
    /// </summary>
    [Fact]
    public void A_client_that_left_a_slow_node_is_no_copy_of_itself()
    {
        var watch = Watch(nodes: 2);
        watch.Left();
        Assert.All(Ended(watch, "n1", "n2", "n1", "n2"), Assert.False);
        _time.Now += CopyWatch.LateMax;
        Assert.Equal([false, false, true], Ended(watch, "n1", "n2", "n1"));
    }

    private CopyWatch Watch(int nodes) => new(() => nodes, _time);

    private static List<bool> Ended(CopyWatch watch, params IEnumerable<string> nodes) =>
        [.. nodes.Select(watch.Ended)];
}
