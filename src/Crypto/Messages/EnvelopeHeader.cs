using System.Collections.Immutable;
using System.Numerics;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.Messages;

/// <summary>What anybody can read of a direct envelope: all that a node checks, and needs, without a key.</summary>
/// <remarks>
/// docs/e2e.md, Direct envelope. "CCDM" u8 1 | cluster | conv | msgId | u8 flags | u8 n | n x wrap | b32 box.
/// </remarks>
public sealed class EnvelopeHeader
{
    /// <summary>No envelope is longer than this.</summary>
    public const int BytesMax = 72 * 1024;

    private const byte DoNotStoreFlag = 1;
    private const int RecipientsMax = 2;
    private const int FixedBytes = 71;
    private const int WrapBytes = Digest.Bytes + EncryptionPublicKey.WrappedBytes;

    private EnvelopeHeader(
        ClusterId cluster, Digest conversation, EnvelopeId id, byte flags, ImmutableArray<Digest> recipients,
        int prefixBytes) =>
        (Cluster, Conversation, Id, DoNotStore, Recipients, PrefixBytes) =
        (cluster, conversation, id, (flags & DoNotStoreFlag) != 0, recipients, prefixBytes);

    public ClusterId Cluster { get; }

    /// <summary>conv: equals <see cref="Messages.Conversation.Between"/> of the two names, or somebody lies.</summary>
    public Digest Conversation { get; }

    public EnvelopeId Id { get; }

    /// <summary>For signals such as typing: a node drops it when the recipient is offline.</summary>
    public bool DoNotStore { get; }

    /// <summary>The ekIds of the keys that can open it: one or two, all different.</summary>
    public ImmutableArray<Digest> Recipients { get; }

    internal int PrefixBytes { get; }

    /// <summary>Reads and checks everything outside the seal.</summary>
    /// <returns>
    /// Null for any damage: size, magic, version, unknown flag, recipients, box size, trailing bytes.
    /// </returns>
    public static EnvelopeHeader? TryParse(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length > BytesMax)
            return null;
        var reader = new Reader(envelope);
        reader.Expect("CCDM"u8);
        reader.Expect([1]);
        var (cluster, conversation, id) = (reader.Cluster(), reader.Digest(), new EnvelopeId(reader.U128()));
        var flags = reader.U8();
        reader.Require((flags & ~DoNotStoreFlag) == 0);
        var recipients = ReadRecipients(ref reader);
        var prefixBytes = reader.Position;
        var padded = reader.B32(BytesMax).Length - CommittingSeal.OverheadBytes;
        reader.Require(padded is >= Padding.BucketBytesMin and <= Padding.BucketBytesMax);
        reader.Require(BitOperations.IsPow2(padded));
        return reader.AtEnd ? new(cluster, conversation, id, flags, recipients, prefixBytes) : null;
    }

    /// <summary>Which conversation an envelope says it belongs to, without looking at anything else.</summary>
    /// <returns>Null when this is no envelope.</returns>
    public static Digest? ConversationOf(ReadOnlySpan<byte> envelope)
    {
        var reader = new Reader(envelope);
        reader.Expect("CCDM"u8);
        reader.Expect([1]);
        reader.Cluster();
        var conversation = reader.Digest();
        return reader.Ok ? conversation : null;
    }

    /// <summary>As <see cref="DoNotStore"/>, without looking at anything else; false when this is no
    /// envelope.</summary>
    public static bool SaysDoNotStore(ReadOnlySpan<byte> envelope)
    {
        var reader = new Reader(envelope);
        reader.Expect("CCDM"u8);
        reader.Expect([1]);
        reader.Cluster();
        reader.Digest();
        reader.U128();
        var flags = reader.U8();
        return reader.Ok && (flags & DoNotStoreFlag) != 0;
    }

    /// <summary>Whether it says it is between these two: a node asks before it stores.</summary>
    public bool IsBetween(ClusterId cluster, string a, string b) =>
        Cluster == cluster && UserName.IsValid(a) && UserName.IsValid(b)
        && Conversation == Messages.Conversation.Between(cluster, a, b);

    internal static byte[] Write(
        ClusterId cluster, Digest conversation, EnvelopeId id, bool doNotStore,
        ReadOnlySpan<(Digest EkId, byte[] Wrapped)> wraps)
    {
        var flags = doNotStore ? DoNotStoreFlag : (byte)0;
        var writer = new Writer(FixedBytes + wraps.Length * WrapBytes)
            .Raw("CCDM"u8).U8(1).Cluster(cluster).Digest(conversation).U128(id.Value).U8(flags).U8((byte)wraps.Length);
        foreach (var (ekId, wrapped) in wraps)
            writer.Digest(ekId).Raw(wrapped);
        return writer.Finish();
    }

    internal ReadOnlySpan<byte> WrapOf(int recipient, ReadOnlySpan<byte> envelope)
    {
        var start = PrefixBytes - (Recipients.Length - recipient) * WrapBytes;
        return envelope.Slice(start + Digest.Bytes, EncryptionPublicKey.WrappedBytes);
    }

    private static ImmutableArray<Digest> ReadRecipients(ref Reader reader)
    {
        var count = reader.U8();
        reader.Require(count is >= 1 and <= RecipientsMax);
        if (!reader.Ok)
            return [];
        var ids = new Digest[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = reader.Digest();
            reader.Raw(EncryptionPublicKey.WrappedBytes);
            reader.Require(!ids.AsSpan(0, i).Contains(ids[i]));
        }

        return [.. ids];
    }
}
