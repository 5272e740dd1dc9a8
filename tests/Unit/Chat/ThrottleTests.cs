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
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", "p", 0));

        Assert.Equal(TimeSpan.FromSeconds(2), throttle.Try("anna", "p", "p", 0));
        Assert.Equal(TimeSpan.FromMilliseconds(1), throttle.Try("anna", "p", "p", 1_999));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", "p", 2_000));
        Assert.Equal(TimeSpan.FromSeconds(4), throttle.Try("anna", "p", "p", 2_000));
        Assert.Equal(TimeSpan.Zero, throttle.Try("bob", "p", "p", 2_000));
    }

    [Fact]
    public void The_pause_ends_at_a_quarter_of_an_hour() =>
        Assert.Equal(GuessThrottle.PauseMax, GuessThrottle.PauseAfter(64));

    [Fact]
    public void A_right_secret_forgives_what_was_tried_before()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 5; i++)
            throttle.Try("anna", "p", "p", 0);
        throttle.Succeeded("anna", "p");
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", "p", 0));
    }

    /// <summary>docs/e2e.md, New device: logging in with the right password is no guess that counts, nor is it while
    /// too few copies of the account answer.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_right_secret_is_no_guess(bool isProven)
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 10 * GuessThrottle.FreeCountOfStrangers; i++)
        {
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", $"block {i / 10}", "site", 0));
            if (isProven)
                throttle.Succeeded("anna", $"block {i / 10}");
            else
                throttle.Forgive("anna", $"block {i / 10}");
        }
    }

    [Fact]
    public void What_is_forgiven_while_copies_are_missing_forgives_no_guess()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < 4; i++)
            throttle.Try("anna", "p", "p", 0);
        throttle.Try("anna", "p", "p", 0);
        throttle.Forgive("anna", "p");
        throttle.Try("anna", "p", "p", 0);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "p", "p", 0));
    }

    [Fact]
    public void Half_an_hour_of_quiet_is_forgiven_too()
    {
        var throttle = new GuessThrottle();
        for (long now = 0, i = 0; i < 20; i++)
            now += (long)throttle.Try("anna", "p", "p", now).TotalMilliseconds;
        var later = 10_000_000L;
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "p", "p", later));
    }

    [Fact]
    public void The_table_of_users_stays_bounded()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < GuessThrottle.UserCountMax + 10; i++)
            Assert.Equal(TimeSpan.Zero, throttle.Try($"u{i}", "p", "p", i));
    }

    /// <summary>A stranger who guessed on kept the user out, too.</summary>
    [Fact]
    public void Nobody_keeps_a_user_out_of_a_place_from_which_he_has_logged_in()
    {
        var throttle = new GuessThrottle();
        throttle.Try("anna", "home", "home", 0);
        throttle.Succeeded("anna", "home");
        for (var i = 0; i < 200; i++)
            throttle.Try("anna", $"block {i}", $"block {i}", 1);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "block 7", "block 7", 1));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "home", "home", 1));
    }

    [Fact]
    public void Many_places_give_no_more_guesses_than_a_few()
    {
        var throttle = new GuessThrottle();
        Assert.Equal(
            GuessThrottle.FreeCountOfStrangers,
            Enumerable.Range(0, 1_000)
                .Count(i => throttle.Try("anna", $"block {i}", $"block {i}", 0) == TimeSpan.Zero));
    }

    /// <summary>Strangers took every turn for ever.</summary>
    [Theory]
    [InlineData(1, 3)]
    [InlineData(30, 35)]
    [InlineData(GuessThrottle.PromisedMax - 2, 70)]
    public void The_user_comes_through_at_a_new_place_however_long_strangers_guess(int sites, int minutes)
    {
        var throttle = new GuessThrottle();
        var now = 0L;
        for (; now < 3_600_000; now += 250)
            GuessOn();
        var begun = now;
        for (var due = now; due <= now;)
        {
            GuessOn(); // They are always quicker.
            if (throttle.Try("anna", "new", "new", now) is var wait && wait == TimeSpan.Zero)
                return;
            due = now + (long)wait.TotalMilliseconds + 20_000; // People take their time.
            Assert.InRange(due - begun, 0, minutes * 60_000);
            for (; now < due; now += 250)
                GuessOn();
        }

        void GuessOn()
        {
            for (var site = 0; site < sites; site++)
                throttle.Try("anna", $"{site} {now}", $"{site}", now);
        }
    }

    /// <summary>docs/security.md, "Passwords and bcrypt".</summary>
    [Fact]
    public void However_many_places_guess_they_have_one_try_a_minute_in_the_end()
    {
        var throttle = new GuessThrottle();
        var count = 0;
        for (var now = 0L; now < 10 * 3_600_000; now += 500)
            for (var site = 0; site < 100; site++)
                if (throttle.Try("anna", $"{site} {now}", $"{site}", now) == TimeSpan.Zero)
                    count++;
        Assert.InRange(count, 600, 750); // At first they come sooner.
    }

    [Fact]
    public void A_promised_time_passes_and_then_it_is_like_any_other()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i < GuessThrottle.FreeCountOfStrangers; i++)
            throttle.Try("anna", $"block {i}", $"block {i}", 0);
        var wait = throttle.Try("anna", "new", "new", 0);
        Assert.InRange(wait.TotalMilliseconds, 1, 2_000);
        for (var i = 0; i < 20; i++)
            throttle.Try("anna", $"block {i}", $"block {i}", 1_000); // All are promised a later time.
        var late = (long)(wait + GuessThrottle.PromisedFor).TotalMilliseconds + 1;
        for (var i = 0; i < 2 * GuessThrottle.PromisedMax; i++)
            throttle.Try("anna", $"other {i}", $"other {i}", late);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "new", "new", late));
    }

    [Fact]
    public void A_user_has_so_many_places_and_the_oldest_is_forgotten()
    {
        var throttle = new GuessThrottle();
        for (var i = 0; i <= GuessThrottle.KnownPlacesMax; i++)
            throttle.Succeeded("anna", $"place {i}");
        for (var i = 0; i < GuessThrottle.FreeCountOfStrangers; i++)
            throttle.Try("anna", $"block {i}", $"block {i}", 0);
        Assert.NotEqual(TimeSpan.Zero, throttle.Try("anna", "place 0", "place 0", 0));
        Assert.Equal(TimeSpan.Zero, throttle.Try("anna", "place 1", "place 1", 0));
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
