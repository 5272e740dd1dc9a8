using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Messages;

/// <summary>What stands inside a direct envelope, all of it signed. docs/e2e.md, Direct envelope.</summary>
public sealed record DirectMessage
{
    /// <summary>No message has a higher place in its chain; one that claims to does not open.</summary>
    public const ulong SeqMax = Bounds.SeqMax;

    public required string From { get; init; }

    /// <summary>The hash of the sender's key-log head: whose device key signs.</summary>
    public required Digest FromEntry { get; init; }

    /// <summary>The device epoch of that entry.</summary>
    public required uint FromEpoch { get; init; }

    public required string To { get; init; }

    /// <summary>The hash of the recipient's key-log head as the sender knows it: shows them a swapped key.</summary>
    public required Digest ToEntry { get; init; }

    /// <summary>1 for the first message of this device epoch in this conversation, then one more each.</summary>
    public required ulong Seq { get; init; }

    /// <summary>The body hash of the message before, zero for the first.</summary>
    public required Digest PreviousBody { get; init; }

    /// <summary>Seq of the newest message from the other side that arrived; 0 for none.</summary>
    public ulong AckSeq { get; init; }

    /// <summary>Its body hash; zero for none.</summary>
    public Digest AckBody { get; init; }

    /// <summary>Unix time in ms by the sender's clock.</summary>
    public required ulong TimeMs { get; init; }

    public required MessageContent Content { get; init; }

    internal byte[] Write()
    {
        var content = Content.Write();
        return new Writer(320 + content.Length)
            .U8(1).User(From).Digest(FromEntry).U32(FromEpoch).User(To).Digest(ToEntry).U64(Seq).Digest(PreviousBody)
            .U64(AckSeq).Digest(AckBody).U64(TimeMs).U8(Content.Type).B32(content).Finish();
    }

    internal static DirectMessage? TryRead(ReadOnlySpan<byte> body)
    {
        var reader = new Reader(body);
        reader.Expect([1]);
        var (from, fromEntry, fromEpoch) = (reader.User(), reader.Digest(), reader.U32());
        var (to, toEntry) = (reader.User(), reader.Digest());
        var (seq, previousBody) = (reader.U64(), reader.Digest());
        var (ackSeq, ackBody, timeMs) = (reader.U64(), reader.Digest(), reader.U64());
        var content = MessageContent.TryRead(reader.U8(), reader.B32(MessageContent.BytesMax));
        reader.Require(seq is > 0 and <= Bounds.SeqMax && ackSeq <= Bounds.SeqMax && timeMs <= Bounds.TimeMsMax);
        reader.Require(fromEpoch is > 0 and <= (uint)Bounds.SeqMax);
        return !reader.AtEnd || content is null ? null : new()
        {
            From = from,
            FromEntry = fromEntry,
            FromEpoch = fromEpoch,
            To = to,
            ToEntry = toEntry,
            Seq = seq,
            PreviousBody = previousBody,
            AckSeq = ackSeq,
            AckBody = ackBody,
            TimeMs = timeMs,
            Content = content,
        };
    }
}
