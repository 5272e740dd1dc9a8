using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Tests.Unit.Base;
using ChordChat.Tests.Unit.Client;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Order: forks are told in one line, however many there are.</summary>
public sealed class ForkNoticeTests
{
    [Fact]
    public void The_first_fork_is_told_at_once_and_those_that_follow_together()
    {
        using var filled = new FilledProfile();
        using var profile = ChordChat.Sdk.Profiles.Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        me.Store.Write(db => Circle.WroteTo(db, "carol"));
        var time = new ManualTime();
        var sink = new EventSink(History.Of(me), me, time);
        for (var i = 0; i < 500; i++)
            sink.Take(Forked("bob"));
        Assert.Contains("two different messages have the same number (from bob)", Assert.Single(Notices(sink)));
        sink.Take(Forked("carol"));
        sink.CaughtUp();
        Assert.Contains("500 message numbers", Assert.Single(Notices(sink)));
        sink.CaughtUp();
        Assert.Empty(Notices(sink));
        time.Now += TimeSpan.FromMinutes(1);
        sink.Take(Forked("bob"));
        Assert.Single(Notices(sink));
    }

    /// <summary>README.md: a script that only receives prints nothing from people it never wrote to.</summary>
    [Fact]
    public void Forks_of_a_stranger_are_not_told_and_of_a_friend_as_soon_as_it_is_known_that_they_are_one()
    {
        using var filled = new FilledProfile();
        using var profile = ChordChat.Sdk.Profiles.Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var sink = new EventSink(History.Of(me), me, new ManualTime());
        sink.Take(Forked("mallory"));
        sink.Take(Forked("carol"));
        sink.CaughtUp();
        Assert.Empty(Notices(sink));
        me.Store.Write(db =>
        {
            Circle.WroteTo(db, "carol"); // As nodes say of another device.
            RequestTable.SetCircleKnown(db);
        });
        sink.CaughtUp();
        Assert.Contains("(from carol)", Assert.Single(Notices(sink)));
        me.Store.Write(db => Circle.WroteTo(db, "mallory"));
        sink.CaughtUp();
        Assert.Empty(Notices(sink));
    }

    [Fact]
    public void Who_is_told_again_to_log_in_anew_is_told_with_which_profile()
    {
        using var filled = new FilledProfile();
        using var profile = ChordChat.Sdk.Profiles.Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var sink = new EventSink(History.Of(me), me);
        sink.Take(new Kept { IsCopied = true });
        Assert.Contains($"'chordchat login alice --profile {filled.Folder}'", Assert.Single(Notices(sink)));
    }

    private static Kept Forked(string sender)
    {
        var kept = new Kept();
        kept.AddFork(sender);
        return kept;
    }

    private static List<string> Notices(EventSink sink)
    {
        var notices = new List<string>();
        while (sink.Events.TryRead(out var happened))
            if (happened is ClientEvent.Notice(var text))
                notices.Add(text);
        return notices;
    }
}
