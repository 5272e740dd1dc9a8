using ChordChat.Node.Transport;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

/// <summary>docs/operations.md, "Limits": answers that another node has not taken.</summary>
public sealed class AnswerWindowTests
{
    private static readonly Call Scan = new() { Scan = new() };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AnswerWindow _window = new(LinkService.UnansweredMax, LinkService.AnswerBytesMax);

    [Fact]
    public async Task Large_answers_that_nobody_takes_hold_up_the_next_call()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
        {
            _window.Took(AnswerWindow.RoomFor(Scan));
            _window.Answered(AnswerWindow.RoomFor(Scan), 1 << 20);
        }

        Assert.Equal(16, taken);
        var next = _window.WaitAsync(default).AsTask();
        Assert.False(next.IsCompleted);
        _window.Gave(1, 1 << 20);
        await next.WaitAsync(Patience);
    }

    [Fact]
    public void Calls_whose_answers_may_be_large_are_not_all_read_at_once()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
            _window.Took(AnswerWindow.RoomFor(Scan));
        Assert.Equal(64, taken);
        _window.Answered(AnswerWindow.RoomFor(Scan), 10);
        Assert.True(IsOpen());
    }

    /// <summary>docs/security.md: an account has two keyrings of up to 640 KiB each.</summary>
    [Theory]
    [InlineData("acct/anna", 12, 14)]
    [InlineData("sess/anna", 256, 256)]
    public void Room_is_kept_for_the_largest_register_of_its_kind(string key, int takenMin, int takenMax)
    {
        Call[] calls = [new() { Peek = new() { Key = key } }, new() { Prepare = new() { Key = key } }];
        foreach (var call in calls)
        {
            var window = new AnswerWindow(LinkService.UnansweredMax, LinkService.AnswerBytesMax);
            var taken = 0;
            for (; window.WaitAsync(default).AsTask().IsCompleted; taken++)
                window.Took(AnswerWindow.RoomFor(call));
            Assert.InRange(taken, takenMin, takenMax);
        }
    }

    [Fact]
    public async Task Small_calls_are_counted()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
            _window.Took(AnswerWindow.RoomFor(new() { Add = new() }));
        Assert.Equal(LinkService.UnansweredMax, taken);
        var next = _window.WaitAsync(default).AsTask();
        _window.Answered(AnswerWindow.RoomFor(new() { Add = new() }), 10);
        Assert.False(next.IsCompleted);
        _window.Gave(1, 10);
        await next.WaitAsync(Patience);
    }

    [Fact]
    public void A_node_has_so_many_links_and_the_oldest_ends()
    {
        var links = new OpenLinks();
        var places = Enumerable.Range(0, OpenLinks.PerNodeMax).Select(_ => links.Enter(new(1, 1))).ToList();
        using var other = links.Enter(new(2, 2));
        places[1].Dispose();
        using var again = links.Enter(new(1, 1));
        Assert.DoesNotContain(places, place => place.Ended.IsCancellationRequested);
        using var newest = links.Enter(new(1, 1));
        Assert.Equal([true, false, false, false], places.Select(place => place.Ended.IsCancellationRequested));
        Assert.False(other.Ended.IsCancellationRequested);
        Assert.False(newest.Ended.IsCancellationRequested);
    }

    private bool IsOpen() => _window.WaitAsync(default).AsTask().IsCompleted;
}
