using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Order: a gap is waited for with a bound.</summary>
public sealed class GapWatchTests : IHeldMessages
{
    private readonly Clock _clock = new();
    private readonly GapWatch _watch;
    private readonly HashSet<string> _gaps = ["alice"];
    private readonly List<string> _givenUp = [];
    private int _failures;

    public GapWatchTests() => _watch = new GapWatch(this, new ChangeSignal(), _clock);

    public IReadOnlyCollection<string> Gaps() => _gaps;

    void IHeldMessages.CaughtUp(IReadOnlySet<string> waiting)
    {
    }

    void IHeldMessages.GiveUpGaps(IReadOnlySet<string> senders)
    {
        if (_failures-- > 0)
            throw new IOException("no room");
        _givenUp.AddRange(senders);
        _gaps.ExceptWith(senders);
    }

    [Fact]
    public void A_gap_is_asked_for_once_and_given_up_three_seconds_later_when_the_mailbox_was_read_in_between()
    {
        CatchUp(0); // Read before it was asked for: proves nothing.
        Assert.True(_watch.TakeQuestion(1));
        Assert.False(_watch.TakeQuestion(2));
        CatchUp(0); // As does a reading that had begun before.
        Pass(GapWatch.WaitMin);
        Assert.Equal(GapWatch.WaitMax - GapWatch.WaitMin, _watch.GiveUpDue());
        CatchUp(1);
        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(["alice"], _givenUp);
    }

    [Fact]
    public void Without_a_mailbox_to_read_a_gap_is_given_up_all_the_same()
    {
        Look();
        Pass(GapWatch.WaitMax);
        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(["alice"], _givenUp);
    }

    [Fact]
    public void A_gap_that_is_filled_is_not_given_up_and_the_next_one_waits_from_its_own_beginning()
    {
        Look();
        _gaps.Clear();
        Look();
        Assert.Null(_watch.GiveUpDue());
        Pass(GapWatch.WaitMax);
        _gaps.Add("alice");
        Look();
        Assert.Equal(GapWatch.WaitMax, _watch.GiveUpDue());
        Assert.Empty(_givenUp);
    }

    [Fact]
    public void Each_senders_gap_has_its_own_seconds()
    {
        Look();
        Pass(GapWatch.WaitMax / 2);
        _gaps.Add("carol");
        Look();
        Pass(GapWatch.WaitMax / 2);
        Assert.Equal(GapWatch.WaitMax / 2, _watch.GiveUpDue());
        Assert.Equal(["alice"], _givenUp);
    }

    [Fact]
    public void One_question_is_asked_at_a_time_for_whoever_has_a_gap_by_then()
    {
        Look();
        Assert.True(_watch.TakeQuestion(1));
        _gaps.Add("carol");
        Look();
        Assert.False(_watch.TakeQuestion(2));
        CatchUp(1);
        Assert.True(_watch.TakeQuestion(2));
        CatchUp(2);
        Pass(GapWatch.WaitMin);
        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(["alice", "carol"], _givenUp.Order());
    }

    /// <summary>Thousands of messages take longer than twelve seconds to be looked at.</summary>
    [Fact]
    public void While_more_mail_of_the_sender_waits_the_seconds_begin_anew_for_a_minute_at_most()
    {
        Look();
        Assert.True(_watch.TakeQuestion(1));
        for (var waited = TimeSpan.Zero; waited < GapWatch.BusyMax; waited += GapWatch.WaitMax / 2)
        {
            Assert.NotNull(_watch.GiveUpDue());
            CatchUp(1, "alice"); // The mailbox was read, but not all of it looked at.
            Pass(GapWatch.WaitMax / 2);
        }

        Assert.Null(_watch.GiveUpDue());
        Assert.Equal(["alice"], _givenUp);
    }

    [Fact]
    public void What_was_not_looked_at_when_the_mailbox_was_read_is_asked_for_again()
    {
        Look();
        Assert.True(_watch.TakeQuestion(1));
        CatchUp(1, "alice");
        _watch.AskAgain("carol");
        Assert.False(_watch.TakeQuestion(2));
        _watch.AskAgain("alice");
        Assert.True(_watch.TakeQuestion(2));
    }

    /// <summary>Held back by an earlier run of the program, on an account to which nobody writes.</summary>
    [Fact]
    public async Task What_an_earlier_run_held_back_is_looked_for_without_any_message()
    {
        using var stop = new CancellationTokenSource();
        var running = _watch.RunAsync(() => true, _ => { }, stop.Token);
        Assert.True(_watch.TakeQuestion(1));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task What_could_not_be_written_is_given_up_when_it_can_be()
    {
        _failures = 2;
        using var stop = new CancellationTokenSource();
        var heard = new List<Exception>();
        Look();
        Pass(GapWatch.WaitMax);
        var running = _watch.RunAsync(
            () =>
            {
                if (_givenUp.Count > 0)
                    stop.Cancel();
                return true;
            },
            heard.Add, stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(["alice"], _givenUp);
        Assert.Equal(2, heard.Count);
    }

    private void Look() => _watch.Look(_ => false);

    private void CatchUp(ulong reading, string waiting = "") => _watch.CaughtUp(reading, sender => sender == waiting);

    private void Pass(TimeSpan time) => _clock.Now += time.Ticks;

    private sealed class Clock : TimeProvider
    {
        public long Now { get; set; } = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;

        /// <summary>Nothing waits.</summary>
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
