using ChordChat.Core.Ring;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

public sealed class PeerLinkTests
{
    /// <summary>docs/operations.md, "Limits": a peer that takes or answers nothing holds only so much of this node's
    /// memory, and not for long.</summary>
    [Fact]
    public async Task Calls_without_an_answer_hold_so_many_bytes_and_end_after_20_s()
    {
        var time = new TurnedTime();
        using var silence = new ManualResetEventSlim();
        await using var link = new PeerLink(
            new NodeId(1, 2),
            _ =>
            {
                silence.Wait();
                return null;
            },
            null!, time, NullLogger.Instance);
        using var speaks = new Speaking(silence); // Before the link is disposed of, also when this test fails.
        var ended = 0;
        for (var i = 0; i < 1_000; i++)
            link.Send(Large(), answer => Interlocked.Increment(ref ended));
        Assert.Equal(1_000 - (int)(PeerLink.InFlightBytesMax >> 16), ended);

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Volatile.Read(ref ended) < 1_000)
        {
            limit.Token.ThrowIfCancellationRequested();
            time.Turn(TimeSpan.FromSeconds(5)); // Its timer may not have begun yet.
            await Task.Delay(10, limit.Token);
        }

        var again = 0;
        link.Send(Large(), _ => Interlocked.Increment(ref again));
        Assert.Equal(0, again);

        static Call Large() => new() { Add = new() { Content = ByteString.CopyFrom(new byte[(64 << 10) - 10]) } };
    }

    /// <summary>HttpRequestException is what a write says whose connection the other end closes just then.</summary>
    [Theory]
    [InlineData(typeof(HttpRequestException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(NotSupportedException))]
    public async Task Whatever_breaks_a_link_it_is_made_again(Type breaks)
    {
        var tries = 0;
        var again = new TaskCompletionSource();
        await using var link = new PeerLink(
            new NodeId(1, 2),
            _ =>
            {
                if (Interlocked.Increment(ref tries) == 1)
                    throw (Exception)Activator.CreateInstance(breaks)!;
                again.TrySetResult();
                return null;
            },
            null!, // Nobody is there to shake hands with.
            TimeProvider.System, NullLogger.Instance);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!again.Task.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            link.Send(new(), _ => { }); // Ends at once while the link is down.
            await Task.WhenAny(again.Task, Task.Delay(20, limit.Token));
        }
    }

    private sealed class Speaking(ManualResetEventSlim silence) : IDisposable
    {
        public void Dispose() => silence.Set();
    }

    private sealed class TurnedTime : TimeProvider
    {
        private readonly Lock _turn = new();
        private readonly List<Action> _timers = [];
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_turn)
                _timers.Add(() => callback(state));
            return new Timer(_ => { }, null, Timeout.Infinite, Timeout.Infinite);
        }

        public void Turn(TimeSpan by)
        {
            Interlocked.Add(ref _now, by.Ticks);
            Action[] timers;
            lock (_turn)
                timers = [.. _timers];
            Array.ForEach(timers, timer => timer());
        }
    }
}
