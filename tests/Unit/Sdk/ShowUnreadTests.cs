using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
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
        var start = history.BeginPrinting();
        FilledProfile.Arrive(me, 2, "read at once");
        history.MarkRead([$"{2:x32}"]);
        FilledProfile.Arrive(me, 3, "not read");
        FilledProfile.Arrive(me, 4, "late", rank: 0.5);
        history.MarkRead([$"{4:x32}"]);
        Assert.Equal(["waits", "not read"], history.Unread().Select(message => message.Text));

        Assert.Equal(["late", "waits", "read at once", "not read"], Print(history, start));

        Assert.Empty(Print(history, start));
        history.EndPrinting(start);
        FilledProfile.Arrive(me, 5, "read later");
        history.MarkRead([$"{5:x32}"]);
        Assert.Empty(Print(history, history.BeginPrinting()));
    }

    /// <summary>docs/e2e.md, Shown once: "unless an earlier tail was killed or could not write".</summary>
    [Fact]
    public void A_tail_begins_where_one_began_that_did_not_come_to_its_end()
    {
        using var files = new FilledProfile("before");
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = History.Of(me);
        history.MarkRead([$"{0:x32}"]);
        history.BeginPrinting();
        FilledProfile.Arrive(me, 1, "read while the pipe was full");
        history.MarkRead([$"{1:x32}"]);
        Assert.Equal(["read while the pipe was full"], Print(history, history.BeginPrinting()));
    }

    /// <summary>docs/e2e.md, Shown once: what a tail had not printed when it ended.</summary>
    [Fact]
    public void What_a_person_read_while_a_tail_ran_and_it_had_not_printed_is_left_to_the_next_one()
    {
        using var files = new FilledProfile("printed", "read, not printed");
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = History.Of(me);
        var start = history.BeginPrinting();
        history.MarkRead([$"{0:x32}"]);
        Assert.Equal(["printed"], Print(history, start, count: 1));
        history.MarkRead([$"{1:x32}"]);
        history.EndPrinting(start); // Somebody has pressed Ctrl+C.
        FilledProfile.Arrive(me, 2, "read between two tails");
        history.MarkRead([$"{2:x32}"]);

        var next = history.BeginPrinting();
        Assert.Equal(["read, not printed"], Print(history, next));
        history.EndPrinting(next);
        Assert.Empty(Print(history, history.BeginPrinting()));
        Assert.Empty(history.Unread());
        Assert.Equal(MessageState.Read, history.Find($"{1:x32}")!.State);
    }

    [Fact]
    public void Who_reads_a_message_that_was_printed_first_has_read_it_all_the_same()
    {
        using var files = new FilledProfile("printed");
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = History.Of(me);
        Assert.Single(Print(history, history.BeginPrinting()));
        history.MarkRead([$"{0:x32}"]);
        Assert.Equal(MessageState.Read, history.Find($"{0:x32}")!.State);
        Assert.Empty(history.Unread());
    }

    /// <summary>docs/e2e.md, Blocked.</summary>
    [Fact]
    public void What_nobody_had_seen_when_its_sender_was_blocked_is_unread_again_after_unblocking()
    {
        using var files = new FilledProfile("seen", "not seen");
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var (history, circle) = (History.Of(me), Circle.Of(me));
        history.MarkRead([$"{0:x32}"]);
        circle.Block("bob");
        circle.Block("bob");
        Assert.Empty(history.Unread());
        history.MarkRead([$"{1:x32}"]); // It was printed before, and its mark comes after the block.
        Assert.Equal(0, me.Store.Read(db => db.Scalar<long>("SELECT owed FROM messages WHERE id = $1", $"{1:x32}")));
        circle.Unblock("bob");
        Assert.Equal(["not seen"], history.Unread().Select(message => message.Text));
        Assert.Equal(1, me.Store.Read(db => db.Scalar<long>("SELECT owed FROM messages WHERE id = $1", $"{1:x32}")));
    }

    private static List<string> Print(History history, long since, int count = 10)
    {
        var printed = new List<string>();
        history.ShowUnread(count, (message, _) => printed.Add(message.Text), readSince: since);
        return printed;
    }

    private static int? Show(FilledProfile files, int count, Action<ChatMessage, bool> show)
    {
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        return History.Of(me).ShowUnread(count, show);
    }
}
