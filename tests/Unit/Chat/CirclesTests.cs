using ChordChat.Core.Chat;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md, Circle: what a node remembers of one.</summary>
public sealed class CirclesTests
{
    private readonly ManualTime _time = new();
    private readonly OneCircle _there = new();
    private readonly Circles _circles;

    public CirclesTests() => _circles = new(new NoRegisters(), _there, new ChatClock(_time));

    /// <summary>Somebody writes again after a while: what was true before counts no more, not even once.</summary>
    [Fact]
    public async Task A_first_message_after_a_while_is_judged_by_what_is_so_now()
    {
        Assert.False(await _circles.IsBlockedAsync("bob", "carol", default));
        Assert.False(_circles.IsBlocked("bob", "carol"));
        _there.Now = Circle.Empty.After(["carol"], [], [])!;
        Assert.False(_circles.IsBlocked("bob", "carol"));
        _time.Now += TimeSpan.FromSeconds(35);
        Assert.Null(_circles.IsBlocked("bob", "carol"));
        Assert.True(await _circles.IsBlockedAsync("bob", "carol", default));
        Assert.True(_circles.IsBlocked("bob", "carol"));
    }

    [Fact]
    public async Task Whoever_goes_on_writing_waits_for_nothing()
    {
        await _circles.IsBlockedAsync("bob", "carol", default);
        _there.Now = Circle.Empty.After(["carol"], [], [])!;
        _time.Now += TimeSpan.FromSeconds(4);
        Assert.NotNull(_circles.IsBlocked("bob", "carol"));
        await _there.WasAskedAgain.Task.WaitAsync(TimeSpan.FromSeconds(30));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (_circles.IsBlocked("bob", "carol") != true)
            await Task.Delay(5, limit.Token);
    }

    [Fact]
    public async Task That_no_majority_answers_holds_up_only_the_first_message_of_a_minute()
    {
        _there.Now = null;
        Assert.False(await _circles.IsBlockedAsync("bob", "carol", default));
        _time.Now += TimeSpan.FromSeconds(35);
        Assert.False(_circles.IsBlocked("bob", "carol"));
    }

    /// <summary>docs/protocol.md, Circle: a change made through the same node counts there at once.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_question_from_before_a_change_does_not_undo_it(bool isAnswered)
    {
        var answer = _there.Held = new();
        var circles = new Circles(new Changes(), _there, new ChatClock(_time));
        var asked = circles.IsBlockedAsync("bob", "carol", default);
        Assert.IsType<CircleOutcome.Agreed>(await circles.ChangeAsync("bob", ["carol"], [], [], default));
        answer.SetResult(isAnswered ? new UnprovenValue(Circle.Empty.ToBytes()) : null);
        Assert.True(await asked);
        Assert.True(circles.IsBlocked("bob", "carol"));
    }

    /// <summary>docs/operations.md, "Limits": one name more for each circle.</summary>
    [Fact]
    public async Task Beyond_so_many_names_the_oldest_circles_make_room_and_no_others()
    {
        var circles = new Circles(new NoRegisters(), _there, new ChatClock(_time)) { NamesMax = 12 };
        _there.Now = Circle.Empty.After(["carol", "dave"], [], ["eve"])!;
        foreach (var user in (string[])["u1", "u2", "u3", "u1", "u4"]) // u1's is younger than u2's at last.
        {
            _time.Now += Circles.FreshFor + TimeSpan.FromSeconds(1);
            Assert.True(await circles.IsBlockedAsync(user, "carol", default));
        }

        Assert.Equal(12, circles.NamesCount);
        Assert.False(circles.IsKnownContact("u2", "eve"));
        Assert.All((string[])["u3", "u1", "u4"], user => Assert.True(circles.IsKnownContact(user, "eve")));
    }

    [Fact]
    public async Task A_circle_that_counts_for_nothing_any_more_is_forgotten()
    {
        _there.Now = Circle.Empty.After(["carol", "dave"], [], ["eve"])!;
        await _circles.IsBlockedAsync("bob", "carol", default);
        await _circles.IsBlockedAsync("alice", "carol", default);
        Assert.Equal(8, _circles.NamesCount);
        _there.Now = null;
        _time.Now += TimeSpan.FromSeconds(61);
        await _circles.IsBlockedAsync("dora", "carol", default);
        Assert.Equal(1, _circles.NamesCount);
    }

    [Fact]
    public async Task Many_who_ask_at_once_get_answers_and_the_names_stay_bounded()
    {
        var circles = new Circles(new NoRegisters(), _there, new ChatClock(_time)) { NamesMax = 100 };
        _there.Now = Circle.Empty.After(["carol", "dave"], [], ["eve"])!;
        await Parallel.ForAsync(0, 10_000, async (i, cancellation) =>
        {
            Assert.True(await circles.IsBlockedAsync($"u{i % 211}", "carol", cancellation));
            circles.IsBlocked($"u{i % 97}", "carol");
        });
        Assert.Equal(100, circles.NamesCount);
    }

    /// <summary>A majority agrees to whatever is asked for.</summary>
    private sealed class Changes : IRegisters
    {
        public Task<ChangeOutcome> ChangeAsync(
            RegisterKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide,
            CancellationToken cancellation) =>
            Task.FromResult<ChangeOutcome>(new ChangeOutcome.Stored(decide(default)!.Value));

        public Task<ReadOutcome> ReadAsync(RegisterKey key, CancellationToken cancellation) =>
            throw new NotSupportedException();
    }

    private sealed class OneCircle : IRegisterGlimpses
    {
        private int _askedCount;

        public Circle? Now { get; set; } = Circle.Empty;

        /// <summary>The answer, if it is to come later.</summary>
        public TaskCompletionSource<UnprovenValue?>? Held { get; set; }

        public TaskCompletionSource WasAskedAgain { get; } = new();

        public Task<UnprovenValue?> PeekAsync(RegisterKey key, CancellationToken cancellation)
        {
            if (Interlocked.Increment(ref _askedCount) == 2)
                WasAskedAgain.TrySetResult();
            return Held?.Task ?? Task.FromResult(Now is { } circle ? new UnprovenValue(circle.ToBytes()) : null);
        }

        public Task<Glimpse> GlimpseAsync(RegisterKey key, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task<Glimpse> GlimpseWithinAsync(RegisterKey key, CancellationToken patience) =>
            throw new NotSupportedException();
    }
}
