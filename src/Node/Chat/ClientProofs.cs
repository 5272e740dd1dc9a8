using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Passwords;
using ChordChat.Crypto.Sessions;

namespace ChordChat.Node.Chat;

/// <summary>What a node checks of what clients sign. It opens nothing: it could not.</summary>
internal sealed class ClientProofs(ChatIdentity identity)
{
    private readonly byte[] _nobodys = MakeNobodys();

    /// <summary>The entry that begins a user's log, if it is one and names this keyring.</summary>
    public KeyLogHead? FirstEntry(string user, ReadOnlyMemory<byte> entry, ReadOnlyMemory<byte> keyring) =>
        KeyLog.VerifyNext(identity.Cluster, user, null, entry.Span) is { } first && Names(first, keyring)
            ? new(first.Seq, first.Epoch, entry)
            : null;

    /// <summary>An entry of this user that is not the first and names this keyring. Its signature is not checked yet.
    /// </summary>
    public KeyLogHead? LaterEntry(string user, ReadOnlyMemory<byte> entry, ReadOnlyMemory<byte> keyring) =>
        KeyLogEntry.TryParse(entry.Span) is { Seq: > 0 } later
        && later.User == user && later.Cluster == identity.Cluster && Names(later, keyring)
            ? new(later.Seq, later.Epoch, entry)
            : null;

    /// <summary>The whole rule, signatures included.</summary>
    public bool MayFollow(string user, ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> next) =>
        KeyLogEntry.TryParse(head.Span) is { } previous
        && KeyLog.VerifyNext(identity.Cluster, user, previous, next.Span) is not null;

    /// <summary>Whether <paramref name="entry"/> stands right before <paramref name="next"/> in a key log.</summary>
    public static bool IsBefore(ReadOnlyMemory<byte> entry, ReadOnlyMemory<byte> next) =>
        KeyLogEntry.TryParse(next.Span) is { } later && KeyLogEntry.TryParse(entry.Span) is { } earlier
        && later.Previous == earlier.Hash;

    /// <summary>Whether the owner of this account signed <paramref name="entry"/> as one of its log, of this number;
    /// false also if the account's identity was another one then.</summary>
    public bool IsOlder(Account account, ulong number, ReadOnlyMemory<byte> entry) =>
        KeyLog.VerifyAlone(identity.Cluster, account.User, entry.Span) is { } older && older.Seq == number
        && KeyLog.VerifyLater(identity.Cluster, account.User, older, account.Head.Entry.Span) is not null;

    public static KdfParameters KdfOf(Account account) => Read(account.Head.Entry).Kdf;

    public static UInt128 DeviceOf(Account account) => Read(account.Head.Entry).DeviceId;

    /// <summary>Whether the device of this entry of the user's log signed this hello for this node's challenge.
    /// </summary>
    /// <param name="entry">Empty for a user or a device that does not exist: false, after the same work.</param>
    public bool IsSignedBy(ReadOnlyMemory<byte> entry, SessionHello hello, ReadOnlySpan<byte> nodeNonce) =>
        IsSignedBy(entry, hello, nodeNonce, identity.Self.Node);

    /// <summary>The same for the challenge of another node.</summary>
    public bool IsSignedBy(
        ReadOnlyMemory<byte> entry, SessionHello hello, ReadOnlySpan<byte> nodeNonce, NodeId node) =>
        SessionProof.Verify(
            entry.IsEmpty ? DevicePublicKey.TryImport(_nobodys)! : Read(entry).DeviceKey,
            identity.Cluster,
            node.ToBytes(),
            hello.User,
            hello.Epoch,
            nodeNonce,
            hello.ClientNonce.Span,
            hello.Signature.Span,
            hello.PassOnly ? ProofUse.Pass : ProofUse.Session) && !entry.IsEmpty;

    /// <summary>Whether it says that it is a sealed message of this id between these two.</summary>
    public bool IsMail(ReadOnlySpan<byte> envelope, MessageId id, string a, string b) =>
        EnvelopeHeader.TryParse(envelope) is { } header && header.Id.Value == id.Value
        && header.IsBetween(identity.Cluster, a, b);

    private static byte[] MakeNobodys()
    {
        using var key = DeviceKey.Create();
        return key.PublicPoint.ToArray();
    }

    private static bool Names(KeyLogEntry entry, ReadOnlyMemory<byte> keyring) =>
        entry.RingHash == KeyringBlob.HashOf(keyring.Span);

    /// <summary>Of an entry that was verified before it was stored.</summary>
    private static KeyLogEntry Read(ReadOnlyMemory<byte> entry) =>
        KeyLogEntry.TryParse(entry.Span) ?? throw new InvalidDataException("a stored key-log entry is damaged");
}
