using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Order: a gap is waited for with a bound.</summary>
public sealed class GapWatchTests : IHeldMessages
{
    private readonly Clock _clock = new();
    private readonly GapWatch _watch;
    private int _givenUpCount;

    public GapWatchTests() => _watch = new GapWatch(this, new ChangeSignal(), _clock);

    public bool HasGaps { get; private set; } = true;

    void IHeldMessages.CaughtUp()
    {
    }

    void IHeldMessages.GiveUpGaps()
    {
        _givenUpCount++;
        HasGaps = false;
    }

    [Fact]
    public void A_gap_is_asked_for_once_and_given_up_three_seconds_later_when_the_mailbox_was_read_in_between()
    {
        _watch.CaughtUp(); // Read before it was asked for: proves nothing.
        Assert.True(_watch.TakeQuestion());
        Assert.False(_watch.TakeQuestion());
        Pass(GapWatch.WaitMin);
        Assert.Equal(GapWatch.WaitMax - GapWatch.WaitMin, _watch.GiveUpDue());
        _watch.CaughtUp();
        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(1, _givenUpCount);
    }

    [Fact]
    public void Without_a_mailbox_to_read_a_gap_is_given_up_all_the_same()
    {
        _watch.Look();
        Pass(GapWatch.WaitMax);
        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(1, _givenUpCount);
    }

    [Fact]
    public void A_gap_that_is_filled_is_not_given_up_and_the_next_one_waits_from_its_own_beginning()
    {
        _watch.Look();
        HasGaps = false;
        _watch.Look();
        Assert.Null(_watch.GiveUpDue());
        Pass(GapWatch.WaitMax);
        HasGaps = true;
        _watch.Look();
        Assert.Equal(GapWatch.WaitMax, _watch.GiveUpDue());
        Assert.Equal(0, _givenUpCount);
    }

    /// <summary>Held back by an earlier run of the program, on an account to which nobody writes.</summary>
    [Fact]
    public async Task What_an_earlier_run_held_back_is_looked_for_without_any_message()
    {
        using var stop = new CancellationTokenSource();
        var running = _watch.RunAsync(() => true, stop.Token);
        Assert.True(_watch.TakeQuestion());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private void Pass(TimeSpan time) => _clock.Now += time.Ticks;

    private sealed class Clock : TimeProvider
    {
        public long Now { get; set; } = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
