using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Unit.Client;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class ShowUnreadTests
{
    [Fact]
    public void A_showing_that_fails_leaves_the_message_and_all_after_it_unread()
    {
        for (var fails = 0; fails < 5; fails++)
        {
            using var files = new FilledProfile("0", "1", "2", "3", "4");
            var shown = new List<string>();
            Assert.Throws<IOException>(() => Show(files, 10, (message, _) =>
            {
                if (shown.Count == fails)
                    throw new IOException("full");
                shown.Add(message.Text);
            }));
            Assert.Equal(5 - fails, files.Unread().Count);
            Show(files, 10, (message, again) =>
            {
                Assert.False(again);
                shown.Add(message.Text);
            });
            Assert.Equal(["0", "1", "2", "3", "4"], shown);
        }
    }

    [Fact]
    public void What_was_in_hand_when_a_process_ended_is_shown_again_and_said_to_be()
    {
        using var files = new FilledProfile("0", "1", "2");
        using (var profile = Profile.Open(files.Folder))
            profile.Store.Write(db => ShownTable.Advance(db, $"{0:x32}", $"{1:x32}"));
        var shown = new List<(string, bool)>();
        Assert.Equal(2, Show(files, 10, (message, again) => shown.Add((message.Text, again))));
        Assert.Equal([("1", true), ("2", false)], shown);
        Assert.Equal(0, Show(files, 10, (_, _) => Assert.Fail("nothing is left")));
    }

    [Fact]
    public void Of_two_processes_that_show_one_waits_for_the_other()
    {
        using var files = new FilledProfile("0", "1");
        Show(files, 1, (_, _) => Assert.Null(Show(files, 10, (_, _) => Assert.Fail("shown twice"))));
        Assert.Equal(["1"], files.Unread());
    }

    /// <summary>docs/e2e.md, Shown once.</summary>
    [Fact]
    public void What_a_person_reads_first_in_a_console_is_still_printed_by_a_tail_that_runs_and_by_one_only()
    {
        using var files = new FilledProfile("read before", "waits");
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = History.Of(me);
        history.MarkRead([$"{0:x32}"]);
        var start = history.End;
        FilledProfile.Arrive(me, 2, "read at once");
        history.MarkRead([$"{2:x32}"]);
        FilledProfile.Arrive(me, 3, "not read");
        Assert.Equal(["waits", "not read"], history.Unread().Select(message => message.Text));

        var shown = new List<string>();
        Assert.Equal(3, history.ShowUnread(10, (message, _) => shown.Add(message.Text), readSince: start));

        Assert.Equal(["waits", "read at once", "not read"], shown);
        Assert.Equal(0, history.ShowUnread(10, (_, _) => Assert.Fail("printed twice"), readSince: start));
        FilledProfile.Arrive(me, 4, "read later");
        history.MarkRead([$"{4:x32}"]);
        Assert.Equal(0, history.ShowUnread(10, (_, _) => Assert.Fail("it began later"), readSince: history.End));
    }

    private static int? Show(FilledProfile files, int count, Action<ChatMessage, bool> show)
    {
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        return History.Of(me).ShowUnread(count, show);
    }
}
