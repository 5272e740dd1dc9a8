using ChordChat.Core.Tiles;
using ChordChat.Crypto;
using ChordChat.Crypto.Messages;

namespace ChordChat.Node.Storage;

/// <summary>How much of a crowded mailbox each conversation has, so that one stranger cannot keep
/// friends out.</summary>
/// <remarks>docs/protocol.md#share. The envelope names its conversation outside the seal.</remarks>
internal sealed class SetShares
{
    private readonly Dictionary<Digest, (int Count, long Bytes)> _shares = [];

    /// <param name="scan">Reads messages after an arrival.</param>
    public static SetShares Of(Func<long, ReplicaReply.Scanned> scan)
    {
        var shares = new SetShares();
        ReplicaReply.Scanned page;
        var after = 0L;
        do
        {
            page = scan(after);
            after = page.Next;
            foreach (var message in page.Messages)
                shares.Added(message.Content.Span);
        }
        while (page.More);
        return shares;
    }

    public bool HasRoom(ReadOnlySpan<byte> envelope, int countMax, long bytesMax)
    {
        if (EnvelopeHeader.ConversationOf(envelope) is not { } conversation)
            return true;
        var (count, bytes) = _shares.GetValueOrDefault(conversation);
        return count < countMax && bytes + envelope.Length <= bytesMax;
    }

    public void Added(ReadOnlySpan<byte> envelope)
    {
        if (EnvelopeHeader.ConversationOf(envelope) is not { } conversation)
            return;
        var (count, bytes) = _shares.GetValueOrDefault(conversation);
        _shares[conversation] = (count + 1, bytes + envelope.Length);
    }

    public void Buried(ReadOnlySpan<byte> envelope)
    {
        if (EnvelopeHeader.ConversationOf(envelope) is not { } conversation
            || !_shares.TryGetValue(conversation, out var share))
            return;
        if (share.Count > 1)
            _shares[conversation] = (share.Count - 1, share.Bytes - envelope.Length);
        else
            _shares.Remove(conversation);
    }
}
