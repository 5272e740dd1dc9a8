using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Tests.Unit.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#receipt: the copies that a sender is told.</summary>
public sealed class SubmissionTests
{
    /// <summary>The tile has given the message to other members since, and they have been counted.</summary>
    [Fact]
    public void A_late_word_of_an_earlier_epoch_names_no_member_that_has_left_and_forgets_no_envelope()
    {
        using var sender = new LiveSession(
            "alice", new SessionRecord(1, default, 1, 1, 0, IsOpen: true), isDegraded: false, sets: null!,
            new ChatOptions(), now: 0, default)
        {
            Entry = default,
            Hello = default!,
        };
        var submission = new Submission(sender, "bob", new MessageId(1), new byte[10], copies: 3) { SentMs = 0 };
        submission.Kept(new([Peers.At(1), Peers.At(2)], 3, Generation: 0, Epoch: 5));
        submission.Recount(new([Peers.At(1), Peers.At(2)], 3, Generation: 0, Epoch: 6));
        submission.Progress(new([Peers.At(1), Peers.At(2), Peers.At(3)], 3, Generation: 0, Epoch: 5));
        Assert.Equal([Peers.At(1), Peers.At(2)], submission.Copies.Members);
        Assert.False(submission.Envelope.IsEmpty);
        submission.Progress(new([Peers.At(1), Peers.At(2), Peers.At(4)], 3, Generation: 0, Epoch: 6));
        Assert.Equal([Peers.At(1), Peers.At(2), Peers.At(4)], submission.Copies.Members);
        Assert.True(submission.Envelope.IsEmpty);
    }
}
