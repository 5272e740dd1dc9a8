using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using ChordChat.Node.Discovery;
using ChordChat.Node.Ring;
using ChordChat.Node.Transport;
using ChordChat.Node.View;
using ChordChat.Tests.Unit.Ring;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

/// <summary>docs/operations.md, "Limits": what waits, what is refused, and that room comes back.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_session_with_its_sends_unanswered_waits_until_half_of_them_are()
    {
        var window = new SendWindow(4);
        for (var i = 0; i < 4; i++)
        {
            Assert.True(window.RoomAsync(CancellationToken.None).IsCompleted);
            window.Opened();
        }

        var room = window.RoomAsync(CancellationToken.None);
        Assert.False(room.IsCompleted);
        window.Closed(1);
        Assert.False(room.IsCompleted);
        window.Closed(1);
        await room.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Of_beacons_and_questions_only_so_many_a_second_are_read()
    {
        var time = new ManualTime();
        var limit = new RateLimit(200, time);
        Assert.Equal(200, Enumerable.Range(0, 1_000).Count(_ => limit.Allows()));
        time.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(200, Enumerable.Range(0, 1_000).Count(_ => limit.Allows()));
    }

    [Fact]
    public async Task Of_logins_at_once_only_so_many_wait_for_a_core()
    {
        var options = new ChatOptions { BcryptCost = 12, LoginQueueMax = 3 };
        using var work = new PasswordWork(options);
        var most = options.LoginQueueMax + Environment.ProcessorCount;
        var logins = Enumerable.Range(0, most + 5)
            .Select(_ => work.HashAsync("secret", CancellationToken.None)).ToArray();
        var hashes = await Task.WhenAll(logins);
        Assert.InRange(hashes.Count(hash => hash is null), 1, 5); // Some may have ended before the last one came.
        Assert.NotNull(await work.HashAsync("secret", CancellationToken.None));
    }

    [Fact]
    public async Task Who_brings_the_ring_more_than_its_inbox_holds_waits_until_there_is_room()
    {
        var start = new RingStart(Peers.At(1), 1, [], new RingOptions(), new MembershipOptions());
        using var ring = new RingDriver(
            start, null!, new EventLog(TimeProvider.System), TimeProvider.System, NullLogger<RingDriver>.Instance);
        for (var i = 0; i < RingDriver.InboxMax; i++)
            Assert.True(ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None).AsTask().IsCompleted);
        var late = ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None).AsTask();
        Assert.False(late.IsCompleted);
        await ring.StartAsync(CancellationToken.None);
        await late.WaitAsync(TimeSpan.FromSeconds(60));
        await ring.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Calls_to_a_node_that_answers_nothing_fail_at_once_when_too_many_wait()
    {
        using var connecting = new ManualResetEventSlim();
        var link = new PeerLink(
            new NodeId(1, 2),
            _ =>
            {
                connecting.Wait();
                return null;
            },
            null!, // Nobody is there to shake hands with.
            TimeProvider.System, NullLogger.Instance);
        var ended = 0;
        for (var i = 0; i < PeerLink.InFlightMax; i++)
            link.Send(new(), _ => Interlocked.Increment(ref ended));
        Assert.Equal(0, ended);
        link.Send(new(), answer =>
        {
            Assert.Null(answer);
            Interlocked.Increment(ref ended);
        });
        Assert.Equal(1, ended);
        connecting.Set();
        await link.DisposeAsync();
        Assert.Equal(PeerLink.InFlightMax + 1, ended); // Each call ends once.
    }
}
