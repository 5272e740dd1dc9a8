using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

public sealed class ThrottleTests
{
    [Fact]
    public void Five_tries_are_free_and_then_each_waits_twice_as_long()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", 0));

        Assert.Equal(TimeSpan.FromSeconds(2), throttle.Try("anna", 0));
        Assert.Equal(TimeSpan.FromMilliseconds(1), throttle.Try("anna", 1_999));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", 2_000));
        Assert.Equal(TimeSpan.FromSeconds(4), throttle.Try("anna", 2_000));
        Assert.Equal(TimeSpan.Zero, throttle.Try("bob", 2_000));
    }

    [Fact]
    public void The_pause_ends_at_a_quarter_of_an_hour() =>
        Assert.Equal(GuessThrottle.PauseMax, GuessThrottle.PauseAfter(64));

    [Fact]
    public void A_right_secret_forgives_what_was_tried_before()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 5; i++)
            throttle.Try("anna", 0);
        throttle.Succeeded("anna");
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", 0));
    }

    [Fact]
    public void Half_an_hour_of_quiet_is_forgiven_too()
    {
        var throttle = new GuessThrottle();
        for (long now = 0, i = 0; i < 20; i++)
            now += (long)throttle.Try("anna", now).TotalMilliseconds;
        var later = 10_000_000L;
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", later));
    }

    [Fact]
    public void The_table_of_users_stays_bounded()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < GuessThrottle.UserCountMax + 10; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try($"u{i}", i));
    }

    [Fact]
    public void Thirty_wrong_guesses_a_minute_from_one_address_are_enough()
    {
        var throttle = new AddressThrottle(30);
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(TimeSpan.Zero, throttle.Wait("10.0.0.1", i));
            throttle.Failed("10.0.0.1", i);
        }

        Assert.Equal(TimeSpan.FromSeconds(60), throttle.Wait("10.0.0.1", 0));
        Assert.Equal(TimeSpan.Zero, throttle.Wait("10.0.0.2", 0));
        Assert.Equal(TimeSpan.Zero, throttle.Wait("10.0.0.1", 60_000));
    }

    [Fact]
    public void A_mailbox_is_full_by_messages_or_by_bytes()
    {
        Assert.True(MailboxLimits.HasRoom(9_999, 0, 72_000));
        Assert.False(MailboxLimits.HasRoom(10_000, 0, 1));
        Assert.True(MailboxLimits.HasRoom(10, MailboxLimits.BytesMax - 100, 100));
        Assert.False(MailboxLimits.HasRoom(10, MailboxLimits.BytesMax - 100, 101));
    }
}
