using System.Net;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Tests.Unit.Ring;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

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
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10, LoginQueueMax = 3 }, new ManualTime());
        var turns = await WorkingAsync(work);
        var waiting = Enumerable.Range(0, 3).Select(_ => Take(work, "10.0.1.1")).ToArray();
        Assert.Null(await Take(work, "10.0.1.2"));
        Array.ForEach(turns, turn => turn.Dispose());
        Assert.All(await Task.WhenAll(waiting), Assert.NotNull);
    }

    /// <summary>docs/security.md, "Places of strangers".</summary>
    [Fact]
    public async Task A_login_of_another_network_finds_a_place_in_a_full_queue_and_its_turn_comes_next()
    {
        using var work = new PasswordWork(new ChatOptions { BcryptCost = 10, LoginQueueMax = 3 }, new ManualTime());
        var turns = await WorkingAsync(work);
        var guesses = Enumerable.Range(0, 3).Select(_ => Take(work, "10.0.1.1")).ToArray();
        var login = Take(work, "10.0.2.1");
        Assert.Null(await guesses[0]); // It made room.
        turns[0].Dispose();
        turns[1].Dispose();
        using var turn = await login.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotNull(turn);
        Assert.False(guesses[2].IsCompleted);
        Array.ForEach(turns, each => each.Dispose());
    }

    /// <summary>Takes turns until the next one has to wait.</summary>
    private static async Task<FairQueue.Turn[]> WorkingAsync(PasswordWork work)
    {
        var turns = new List<FairQueue.Turn>();
        while (turns.Count < PasswordWork.TurnsMax)
            turns.Add((await Take(work, "10.0.1.1"))!);
        return [.. turns];
    }

    private static Task<FairQueue.Turn?> Take(PasswordWork work, string address) =>
        work.TryTakeAsync(IPAddress.Parse(address), CancellationToken.None);

    [Fact]
    public async Task Who_brings_the_ring_more_than_its_inbox_holds_waits_until_there_is_room()
    {
        var start = new RingStart(Peers.At(1), 1, [], new RingOptions(), new MembershipOptions());
        var ring = new RingDriver(
            start, null!, new EventLog(TimeProvider.System), TimeProvider.System, NullLogger<RingDriver>.Instance);
        for (var i = 0; i < RingDriver.InboxMax; i++)
            Assert.True(ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None).AsTask().IsCompleted);
        var late = ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None).AsTask();
        Assert.False(late.IsCompleted);
        using var running = new RunningLoop(ring);
        await late.WaitAsync(TimeSpan.FromSeconds(60));
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
