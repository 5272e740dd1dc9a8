using ChordChat.Client.Conversation;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/protocol.md, "Receipt", as a person sees it.</summary>
public sealed class TranscriptTests
{
    [Theory]
    [InlineData(MessageState.Kept, "n2 n5 n7", "kept 3/3: n2 n5 n7", "Dim")]
    [InlineData(MessageState.Kept, "n2 n5", "kept 2/3: n2 n5", "Dim")]
    [InlineData(MessageState.Kept, "n2", "only 1/3: n2", "Warning")]
    [InlineData(MessageState.Kept, "", "only 0/3", "Warning")]
    [InlineData(MessageState.Kept, "node-one node-two node-three", "kept 3/3", "Dim")]
    [InlineData(MessageState.Queued, "n2", "queued", "Warning")]
    [InlineData(MessageState.Delivered, "n2 n5", "delivered", "Good")]
    [InlineData(MessageState.Delivered, "n2", "delivered, kept 1/3", "Good")]
    public void A_message_says_who_keeps_it(MessageState state, string copies, string text, string style)
    {
        Assert.Equal((text, style), Said(state, copies.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.True(text.Length <= Transcript.StateField.Width);
    }

    private static (string, string) Said(MessageState state, string[] copies)
    {
        var (text, style) = Transcript.State(new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, state, copies, 3, 0, ""));
        return (text, style.ToString());
    }
}
