using System.Security.Cryptography;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Sessions;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Receiving: bounded tries; and Order: what "all of the mailbox" means.</summary>
public class PushTurnsTests
{
    private readonly PushTurns _turns = new();

    [Fact]
    public void Much_mail_of_one_chat_delays_no_other_and_beyond_its_share_it_is_asked_for_again()
    {
        for (var i = 0; i < PushTurns.PerChatMax + 100; i++)
            _turns.Add(Push(1));
        var friend = Push(2);
        _turns.Add(friend);
        Assert.Contains(friend, _turns.Take(2));
        Assert.Empty(_turns.TakeCut());
        while (_turns.Take(100).Count > 0)
            _turns.Add(Push(1)); // A chat that was cut gets no more, or something would be missing in its middle.
        var chat = EnvelopeHeader.ConversationOf(Push(1).Envelope.Span)!.Value;
        Assert.True(_turns.Has(chat));
        Assert.Equal([chat], _turns.TakeCut());
        Assert.False(_turns.Has(chat));
        Assert.Empty(_turns.TakeCut());
        _turns.Add(Push(1));
        Assert.Single(_turns.Take(100));
    }

    /// <summary>What came from few copies only stands in the last frame of a reading, with its end.</summary>
    [Fact]
    public void A_reading_counts_once_when_all_that_it_brought_was_taken()
    {
        Assert.Null(_turns.TakeReading());
        _turns.Add(Push(1));
        _turns.Take(16);
        _turns.Add(Push(1));
        _turns.CaughtUp(7);
        Assert.Null(_turns.TakeReading());
        _turns.Take(16);
        Assert.Equal(7ul, _turns.TakeReading());
        Assert.Null(_turns.TakeReading());
    }

    /// <summary>A node may make up chats and messages without a text.</summary>
    [Fact]
    public void Many_chats_of_small_messages_hold_a_bounded_memory_and_no_message_is_forgotten()
    {
        for (var i = 0; i < 200_000; i++)
            _turns.Add(Push(BitConverter.GetBytes(i)));
        var late = EnvelopeHeader.ConversationOf(Push(BitConverter.GetBytes(199_999)).Envelope.Span)!.Value;
        Assert.True(_turns.Has(late));
        var count = 0;
        for (var some = _turns.Take(1_000); some.Count > 0; some = _turns.Take(1_000))
            count += some.Count;
        Assert.InRange(count, PushTurns.ChatsMax, PushTurns.BytesMax >> 8);
        Assert.True(_turns.Has(late));
        Assert.Equal([null], _turns.TakeCut()); // Its chat comes again.
        Assert.False(_turns.Has(late));
    }

    private static Push Push(byte chat) => Push([.. Enumerable.Repeat(chat, 4)]);

    private static Push Push(byte[] chat) => new()
    {
        Id = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
        Envelope = ByteString.CopyFrom(
            [.. "CCDM"u8, 1, .. new byte[16], .. Enumerable.Repeat(chat, 8).SelectMany(part => part)]),
    };
}
