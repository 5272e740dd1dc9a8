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
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", 0));

        Assert.Equal(TimeSpan.FromSeconds(2), throttle.Try("anna", "p", 0));
        Assert.Equal(TimeSpan.FromMilliseconds(1), throttle.Try("anna", "p", 1_999));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", 2_000));
        Assert.Equal(TimeSpan.FromSeconds(4), throttle.Try("anna", "p", 2_000));
        Assert.Equal(TimeSpan.Zero, throttle.Try("bob", "p", 2_000));
    }

    [Fact]
    public void The_pause_ends_at_a_quarter_of_an_hour() =>
        Assert.Equal(GuessThrottle.PauseMax, GuessThrottle.PauseAfter(64));

    [Fact]
    public void A_right_secret_forgives_what_was_tried_before()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 5; i++)
            throttle.Try("anna", "p", 0);
        throttle.Succeeded("anna", "p");
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", 0));
    }

    [Fact]
    public void Half_an_hour_of_quiet_is_forgiven_too()
    {
        var throttle = new GuessThrottle();
        for (long now = 0, i = 0; i < 20; i++)
            now += (long)throttle.Try("anna", "p", now).TotalMilliseconds;
        var later = 10_000_000L;
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", later));
    }

    [Fact]
    public void The_table_of_users_stays_bounded()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < GuessThrottle.UserCountMax + 10; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try($"u{i}", "p", i));
    }

    /// <summary>A stranger who guessed on kept the user out, too.</summary>
    [Fact]
    public void Nobody_keeps_a_user_out_of_a_place_from_which_he_has_logged_in()
    {
        var throttle = new GuessThrottle();
        throttle.Try("anna", "home", 0);
        throttle.Succeeded("anna", "home");
        for (var i = 0; i < 200; i++)
            throttle.Try("anna", $"block {i}", 1);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "block 7", 1));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "home", 1));
    }

    [Fact]
    public void Many_places_give_no_more_guesses_than_a_few()
    {
        var throttle = new GuessThrottle();
        Assert.Equal(
            GuessThrottle.FreeCountOfStrangers,
            Enumerable.Range(0, 1_000).Count(i => throttle.Try("anna", $"block {i}", 0) == TimeSpan.Zero));
    }

    [Fact]
    public void A_user_has_so_many_places_and_the_oldest_is_forgotten()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i <= GuessThrottle.KnownPlacesMax; i++)
            throttle.Succeeded("anna", $"place {i}");
        for (var i = 0; i < GuessThrottle.FreeCountOfStrangers; i++)
            throttle.Try("anna", $"block {i}", 0);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "place 0", 0));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "place 1", 0));
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
    public void Many_addresses_do_not_wipe_out_what_one_did()
    {
        var throttle = new AddressThrottle(30);
        for (var i = 0; i < 30; i++)
            throttle.Failed("10.0.0.1", 0);
        for (var i = 0; i < 3 * AddressThrottle.AddressCountMax; i++)
            throttle.Failed($"address {i}", 1);
        Assert.Equal(TimeSpan.FromSeconds(59), throttle.Wait("10.0.0.1", 1_000));
        Assert.Equal(30, throttle.FailureCount("10.0.0.1", 1_000));
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
