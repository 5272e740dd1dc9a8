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
