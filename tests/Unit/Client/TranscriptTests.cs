using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
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

    [Theory]
    [InlineData(1, 1)]
    [InlineData(101, 101)]
    [InlineData(102, 101)]
    [InlineData(64_001, 101)]
    public void Of_a_text_of_many_lines_so_many_are_shown_and_the_rest_is_counted(int lines, int shown)
    {
        var text = string.Join('\n', Enumerable.Range(1, lines));
        var rows = Transcript.Shown(text).Split('\n');
        Assert.Equal(shown, rows.Length);
        if (lines == shown)
            Assert.Equal(text, string.Join('\n', rows));
        else
            Assert.Equal(
                ("100", $"... {lines - 100:N0} more lines: 'chordchat history --json' prints all"),
                (rows[^2], rows[^1]));
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

    private static (string, string) Said(MessageState state, string[] copies)
    {
        var (text, style) = Transcript.State(new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, state, copies, 3, 0, ""));
        return (text, style.ToString());
    }
}
