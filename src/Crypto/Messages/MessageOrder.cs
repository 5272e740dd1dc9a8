namespace ChordChat.Crypto.Messages;

/// <summary>Whether a message is where its sender put it. docs/e2e.md, Order.</summary>
/// <remarks>
/// Each device epoch of a sender numbers its messages of a conversation 1, 2, 3, and each names the body before it.
/// What was seen is remembered as body hashes by (conversation, sender, epoch, seq).
/// </remarks>
public static class MessageOrder
{
    /// <param name="sameSeq">The body hash already seen at this message's seq, if any.</param>
    /// <param name="before">The body hash seen at seq - 1, if any.</param>
    public static MessagePlace PlaceOf(OpenedMessage message, Digest? sameSeq, Digest? before)
    {
        if (sameSeq is { } seen)
            return seen == message.BodyHash ? MessagePlace.Duplicate : MessagePlace.Fork;
        var (seq, previous) = (message.Message.Seq, message.Message.PreviousBody);
        if (seq == 1)
            return previous == default ? MessagePlace.InOrder : MessagePlace.Fork;
        if (before is not { } known)
            return MessagePlace.Gap;
        return known == previous ? MessagePlace.InOrder : MessagePlace.Fork;
    }
}
