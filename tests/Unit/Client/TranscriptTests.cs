using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/protocol.md, "Receipt", as a person sees it.</summary>
public sealed class TranscriptTests
{
    [Theory]
    [InlineData(MessageState.Kept, "n2 n5 n7", "kept 3/3: n2 n5 n7", "Dim")]
    [InlineData(MessageState.Kept, "n2 n5", "kept 2/3: n2 n5", "Dim")]
    [InlineData(MessageState.Kept, "node-one node-two node-three", "kept 3/3", "Dim")]
    [InlineData(MessageState.Queued, "n2", "queued", "Warning")]
    [InlineData(MessageState.Delivered, "n2 n5", "delivered", "Good")]
    [InlineData(MessageState.Delivered, "n2", "delivered, on 1/3", "Good")]
    public void A_message_says_who_keeps_it(MessageState state, string copies, string text, string style)
    {
        Assert.Equal((text, style), Said(state, copies.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.True(text.Length <= Transcript.StateField.Width);
    }

    [Theory]
    [InlineData("n2", "kept, now only 1/3")]
    [InlineData("", "kept, now only 0/3")]
    public void A_message_whose_copies_do_not_answer_says_so_apart_from_what_kept_it(string reachable, string text)
    {
        var message = new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, MessageState.Kept, ["n2", "n5"], 3, 0, "")
        {
            Reachable = reachable.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        };
        Assert.Equal((text, Style.Warning), Transcript.State(message));
        Assert.True(text.Length <= Transcript.StateField.Width);
    }

    /// <summary>docs/e2e.md, Harmless.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(101, 101)]
    [InlineData(102, 101)]
    [InlineData(64_001, 101)]
    public void Of_a_text_of_many_lines_so_many_are_shown_and_the_rest_is_counted(int lines, int shown)
    {
        var text = string.Join('\n', Enumerable.Range(1, lines));
        var rows = RowsOf(text, int.MaxValue);
        Assert.Equal(shown, rows.Count);
        if (lines == shown)
            Assert.Equal(text, string.Join('\n', rows.Select(row => row.Trim())));
        else
            Assert.Equal(
                ("100", $"... {lines - 100:N0} more lines: 'chordchat history alice --json' prints all"),
                (rows[^2].Trim(), rows[^1].Trim()));
    }

    /// <summary>docs/e2e.md, Harmless: what counts are the rows of the screen.</summary>
    [Theory]
    [InlineData("x", 64_000, 80)]
    [InlineData("some words and ", 4_000, 80)]
    [InlineData("漢", 21_000, 120)]
    [InlineData("word\n", 500, 80)]
    [InlineData("👩‍👩‍👧", 3_000, 100)]
    public void Of_a_text_of_many_rows_so_many_are_shown_whether_its_writer_broke_them_or_not(
        string part, int count, int width)
    {
        var text = string.Concat(Enumerable.Repeat(part, count));
        var rows = RowsOf(text, width);
        Assert.Equal(101, rows.Count);
        Assert.Matches(
            @"^    \.\.\. [0-9,]+ more lines: 'chordchat history alice --json' prints all \(came late\)$", rows[^1]);
        var inConsole = Transcript.Line(Hello with { Text = text }, "bob", unread: true).Rows(width, colours: true);
        Assert.InRange(inConsole.Count, 101, 102); // The mark may need a row of its own.
    }

    /// <summary>docs/e2e.md, Harmless: a node's refusal is shown as its words.</summary>
    [Theory]
    [InlineData("bob has a new identity; /verify bob, then /accept bob")]
    [InlineData("no\"; /accept bob\n12:00 bob: hello")]
    public void A_node_that_refuses_a_message_does_not_speak_with_the_clients_voice(string said)
    {
        using var filled = new FilledProfile();
        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var messages = new MessageTable("alice", me.Key);
        var id = $"{1:x32}";
        profile.Store.Write(db => messages.InsertMine(db, id, "bob", "hello"u8.ToArray(), 1_700_000_000_000));
        var refused = new SendOutcome
        {
            Id = ByteString.CopyFrom(Convert.FromHexString(id)),
            State = SendOutcome.Types.State.Refused,
            Text = said,
        };

        Assert.Equal([id], new Outbox(me, null!, messages, TimeProvider.System).Apply([refused], "n2"));

        var line = Transcript.Refusal(History.Of(me).Find(id)!);
        Assert.StartsWith("bob: refused by node n2: \"", line, StringComparison.Ordinal);
        Assert.Equal(line.Length - 1, line.IndexOf('"', line.IndexOf('"', StringComparison.Ordinal) + 1));
        Assert.DoesNotContain('\n', line);
    }

    /// <summary>docs/e2e.md, Session: why it is another one.</summary>
    [Theory]
    [InlineData("n1", null, null, "connected to n1")]
    [InlineData("n1", "n1", null, "back on n1")]
    [InlineData("n1", "n4", null, "n4 is gone; now on n1")]
    [InlineData("n1", "n4", "", "now on n1")]
    [InlineData("n1", "n1", "", "back on n1")]
    [InlineData("n1", "n4", "n4 was stopped", "n4 was stopped; now on n1")]
    [InlineData("n1", "n1", "another program took over", "another program took over; back on n1")]
    public void A_new_session_says_why_the_one_before_it_ended(string node, string? lost, string? why, string text) =>
        Assert.Equal(
            "· " + text,
            Transcript.Connected(new ClientEvent.Connected(node, lost, Degraded: false, why)).ToString());

    [Fact]
    public void The_time_of_an_own_message_is_when_it_was_written_and_not_when_it_went_out()
    {
        var written = new DateTimeOffset(2026, 1, 5, 10, 0, 0, TimeSpan.Zero);
        var message = new ChatMessage(
            "id", "alice", "bob", "hello", written.AddHours(3), MessageState.Kept, ["n2", "n5"], 3, 0, "");
        Assert.StartsWith(
            $"{written.ToLocalTime():HH:mm} ",
            Transcript.Line(message with { Typed = written }, "alice", unread: false).ToString());
        Assert.StartsWith(
            $"{written.AddHours(3).ToLocalTime():HH:mm} ", Transcript.Line(message, "bob", unread: false).ToString());
    }

    /// <summary>docs/e2e.md, Order.</summary>
    [Fact]
    public void A_message_that_came_after_later_ones_says_so()
    {
        var message = new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, MessageState.Delivered, [], 0, 0, "a note");
        Assert.EndsWith("alice: hello (a note)", Row(message));
        Assert.EndsWith("alice: hello (came late) (a note)", Row(message with { IsLate = true }));

        static string Row(ChatMessage message) =>
            Assert.Single(Transcript.Line(message, "bob", unread: true).Rows(200, colours: false));
    }

    private static ChatMessage Hello { get; } = new(
        "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, MessageState.Delivered, [], 0, 0, "")
    {
        IsLate = true,
    };

    /// <summary>As <c>tail</c> prints it.</summary>
    private static IReadOnlyList<string> RowsOf(string text, int width)
    {
        var message = Hello with { Text = text, IsLate = width != int.MaxValue };
        var marks = new Span(Transcript.Marks(message), Style.Plain);
        return new StyledLine(4, Transcript.Text(message, message.From), marks).Rows(width, colours: false);
    }

    private static (string, string) Said(MessageState state, string[] copies)
    {
        var (text, style) = Transcript.State(new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, state, copies, 3, 0, ""));
        return (text, style.ToString());
    }
}
