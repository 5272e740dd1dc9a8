using System.Net;
using ChordChat.Node.Chat;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/security.md, "Names": hellos as one user that no device of theirs signed.</summary>
public sealed class HelloDoorTests
{
    private static readonly OpenOutcome NotTheirs =
        new OpenOutcome.Refused(new(SessionEndReason.Refused, default, ""));

    private static readonly OpenOutcome Replaced =
        new OpenOutcome.Refused(new(SessionEndReason.TakenOver, default, ""));

    private const int FailingNetworks = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HelloDoor _door = new(
        new() { FailedHellosPerAddressMax = 40 }, new ChatClock(TimeProvider.System), NullLogger<HelloDoor>.Instance);

    [Fact]
    public async Task Who_fails_300_hellos_as_a_user_from_ten_networks_slows_the_user_down_and_shuts_nobody_out()
    {
        for (var i = 0; i < HelloDoor.FailedPerUserMax; i++)
        {
            Assert.Equal(HelloLimit.None, _door.Wait(Of(99), "alice", 1).Limit);
            _door.Judged(Of(i % 10), "alice", 1, NotTheirs);
        }

        Assert.Equal(HelloLimit.OfUser, _door.Wait(Of(99), "alice", 1).Limit);
        Assert.Equal(HelloLimit.None, _door.Wait(Of(99), "bob", 1).Limit);

        // As many as may wait of each of these networks come before her.
        var waiting = Enumerable.Range(0, 500).Select(i => _door.SlowTurnAsync(Of(i % 10), default).AsTask()).ToList();
        var hers = _door.SlowTurnAsync(Of(99), default).AsTask();
        Assert.True(await hers.WaitAsync(Patience));
        Assert.InRange(waiting.Count(turn => turn.IsCompletedSuccessfully && turn.Result), 4, 40);
        Assert.InRange(waiting.Count(turn => turn.IsCompletedSuccessfully && !turn.Result), 300, 400);

        _door.Judged(Of(99), "alice", 1, new OpenOutcome.Proved("alice"));
        Assert.Equal(HelloLimit.None, _door.Wait(Of(99), "alice", 1).Limit);
    }

    /// <summary>An account may be large, and each hello that is judged holds one.</summary>
    [Fact]
    public async Task Of_hellos_as_one_user_from_one_network_only_so_many_are_judged_at_once()
    {
        var turns = new List<IDisposable>();
        for (var i = 0; i < HelloDoor.JudgedPerUserMax; i++)
            turns.Add(await _door.UserTurnAsync(Of(1), "alice", default));
        var next = _door.UserTurnAsync(Of(1), "alice", default).AsTask();
        using var elsewhere = await _door.UserTurnAsync(Of(2), "alice", default);
        using var other = await _door.UserTurnAsync(Of(1), "bob", default);
        Assert.False(next.IsCompleted);
        turns[0].Dispose();
        using var hers = await next.WaitAsync(Patience);
    }

    /// <summary>Each of them has one hello waiting at any time.</summary>
    [Fact]
    public async Task A_hundred_networks_that_have_failed_come_after_one_that_has_not()
    {
        for (var i = 0; i < FailingNetworks; i++)
            for (var n = 0; n < 3; n++)
                _door.Judged(Of(i), "alice", 1, NotTheirs);
        var waiting = Enumerable.Range(0, FailingNetworks)
            .Select(i => _door.SlowTurnAsync(Of(i), default).AsTask()).ToList();
        Assert.True(await _door.SlowTurnAsync(Of(200), default).AsTask().WaitAsync(Patience));
        Assert.InRange(waiting.Count(turn => turn.IsCompleted), 4, 60);
    }

    [Fact]
    public void Of_too_many_who_were_let_in_only_the_oldest_are_forgotten()
    {
        for (var i = 0; i < HelloDoor.FailedPerUserMax; i++)
        {
            _door.Judged(Of(i % 10), "alice", 1, NotTheirs);
            _door.Judged(Of(10 + (i % 10)), "bob", 1, NotTheirs);
        }

        _door.Judged(Of(99), "alice", 1, new OpenOutcome.Proved("alice"));
        _door.Judged(Of(99), "bob", 1, new OpenOutcome.Proved("bob"));
        for (var i = 0; i < HelloDoor.KnownMax - 2; i++)
            _door.Judged(Of(99), $"user{i}", 1, new OpenOutcome.Proved($"user{i}"));
        Assert.Equal(HelloLimit.None, _door.Wait(Of(99), "alice", 1).Limit);
        _door.Judged(Of(99), "last", 1, new OpenOutcome.Proved("last"));
        Assert.Equal(HelloLimit.OfUser, _door.Wait(Of(99), "alice", 1).Limit);
        Assert.Equal(HelloLimit.None, _door.Wait(Of(99), "bob", 1).Limit);
    }

    /// <summary>docs/security.md, "Places of strangers": a customer may have all /64s of a /48.</summary>
    [Fact]
    public void Who_was_let_in_from_one_network_of_a_site_is_known_in_all_of_it()
    {
        _door.Judged(IPAddress.Parse("2001:db8:1:1::1"), "alice", 1, new OpenOutcome.Proved("alice"));
        for (var i = 0; i < HelloDoor.FailedPerUserMax; i++)
            _door.Judged(Of(i % 10), "alice", 1, NotTheirs);
        Assert.Equal(HelloLimit.None, _door.Wait(IPAddress.Parse("2001:db8:1:2::1"), "alice", 1).Limit);
        Assert.Equal(HelloLimit.OfUser, _door.Wait(IPAddress.Parse("2001:db8:2:1::1"), "alice", 1).Limit);
    }

    [Fact]
    public void A_network_that_failed_too_often_is_refused_before_anything_is_judged()
    {
        for (var i = 0; i < HelloDoor.FailedPerUserMax; i++)
            _door.Judged(Of(i % 5), "alice", 1, NotTheirs);
        Assert.Equal(HelloLimit.OfBlock, _door.Wait(Of(1), "alice", 1).Limit);
    }

    [Fact]
    public void A_device_that_was_replaced_uses_up_only_its_own_hellos()
    {
        for (var i = 0; i < 60; i++)
            _door.Judged(Of(1), "alice", 1, Replaced);
        Assert.Equal(HelloLimit.OfDevice, _door.Wait(Of(1), "alice", 1).Limit);
        Assert.Equal(HelloLimit.None, _door.Wait(Of(1), "alice", 2).Limit);
    }

    private static IPAddress Of(int network) => new([10, 0, (byte)network, 1]);
}
