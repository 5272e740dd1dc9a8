using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Known nodes: addresses are tried a little after one another.</summary>
public sealed class FirstAnswerTests
{
    private readonly HurriedTime _time = new();
    private readonly Dictionary<string, TaskCompletionSource<Link?>> _open = [];
    private readonly Lock _turn = new();

    [Fact]
    public async Task Silent_addresses_do_not_keep_others_waiting()
    {
        var asking = OfAsync("silent1", "silent2", "node");
        using var link = new Link();
        Opened("node").SetResult(link);
        Assert.Same(link, (await asking).Answer);
        Assert.False(link.IsGone);
    }

    [Fact]
    public async Task Why_the_addresses_failed_is_said_in_their_order()
    {
        var asking = OfAsync("a", "b", "c");
        Opened("c").SetException(Failed("c"));
        Opened("b").SetResult(null); // It answers, and is not wanted.
        Opened("a").SetException(Failed("a"));
        var (answer, reasons) = await asking;
        Assert.Null(answer);
        Assert.Equal(["a", "c"], reasons.Select(reason => reason.Message));
    }

    [Fact]
    public async Task What_answers_too_late_is_closed()
    {
        var asking = OfAsync("slow", "fast");
        using var fast = new Link();
        using var slow = new Link();
        Opened("fast").SetResult(fast);
        Assert.Same(fast, (await asking).Answer);
        Opened("slow").SetResult(slow);
        await slow.Gone.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task However_many_there_are_all_are_tried_within_the_same_seconds()
    {
        var asking = OfAsync([.. Enumerable.Range(0, 100).Select(i => $"n{i}")]);
        foreach (var i in Enumerable.Range(0, 100))
            Opened($"n{i}").SetResult(null);
        Assert.Null((await asking).Answer);
        Assert.All(_time.Pauses, pause => Assert.True(pause * 100 <= FirstAnswer.StartsMax));
    }

    private Task<(Link? Answer, IReadOnlyList<ChordChatException> Reasons)> OfAsync(params string[] addresses) =>
        FirstAnswer.OfAsync(addresses, (address, _) => Opened(address).Task, _time, CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(30));

    private TaskCompletionSource<Link?> Opened(string address)
    {
        lock (_turn)
            return _open.TryGetValue(address, out var open)
                ? open
                : _open[address] = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static ChordChatException Failed(string message) => new("unreachable", message, "-");

    private sealed class Link : IDisposable
    {
        public TaskCompletionSource Gone { get; } = new();

        public bool IsGone => Gone.Task.IsCompleted;

        public void Dispose() => Gone.TrySetResult();
    }

    /// <summary>Nothing waits.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public System.Collections.Concurrent.ConcurrentQueue<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Enqueue(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
