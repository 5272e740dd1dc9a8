using System.Collections.Immutable;

namespace ChordChat.Crypto.KeyLogs;

/// <summary>A user's key log: every entry signed, each naming the one before. Exists only verified.</summary>
/// <remarks>docs/e2e.md, Key log. A client and a node apply the same rules.</remarks>
public sealed class KeyLog
{
    private KeyLog(ImmutableArray<KeyLogEntry> entries) => Entries = entries;

    /// <summary>At least one; the entry at index i has seq i and epoch i + 1.</summary>
    public ImmutableArray<KeyLogEntry> Entries { get; }

    /// <summary>The newest entry: the keys that count now.</summary>
    public KeyLogEntry Head => Entries[^1];

    public string User => Head.User;
    public ClusterId Cluster => Head.Cluster;

    /// <summary>Verifies a whole chain from entry 0 on: about 0.2 ms an entry.</summary>
    /// <returns>Null when any entry is damaged, foreign, unsigned or out of its place.</returns>
    public static KeyLog? Verify(ClusterId cluster, string user, IEnumerable<byte[]> entries)
    {
        var chain = ImmutableArray.CreateBuilder<KeyLogEntry>();
        foreach (var bytes in entries)
        {
            if (VerifyNext(cluster, user, chain.Count == 0 ? null : chain[^1], bytes) is not { } entry)
                return null;
            chain.Add(entry);
        }

        return chain.Count == 0 ? null : new(chain.ToImmutable());
    }

    /// <summary>Whether <paramref name="bytes"/> may follow <paramref name="previous"/> in this user's log.</summary>
    /// <param name="previous">The head so far, already verified; null when the log is still empty.</param>
    /// <returns>The entry, or null for any reason at all.</returns>
    /// <remarks>
    /// All a node needs before it stores an entry: at most two RSA verifications, no private operation.
    /// </remarks>
    public static KeyLogEntry? VerifyNext(
        ClusterId cluster, string user, KeyLogEntry? previous, ReadOnlySpan<byte> bytes) =>
        KeyLogEntry.TryParse(bytes) is { } entry
        && entry.Cluster == cluster && entry.User == user
        && (previous is null ? IsFirst(entry) : MayFollow(previous, entry))
        && KeyLogEntryBuilder.HasItsSignature(entry)
            ? entry
            : null;

    /// <summary>Whether <paramref name="bytes"/> may stand at the place in this user's log that they name themselves,
    /// as far as one entry alone can tell.</summary>
    /// <returns>The entry, or null for any reason at all.</returns>
    /// <remarks>That the identity is the user's nobody knows without the entries before.</remarks>
    public static KeyLogEntry? VerifyAlone(ClusterId cluster, string user, ReadOnlySpan<byte> bytes) =>
        KeyLogEntry.TryParse(bytes) is { } entry
        && entry.Cluster == cluster && entry.User == user
        && (IsFirst(entry) || IsLater(entry))
        && KeyLogEntryBuilder.HasItsSignature(entry)
            ? entry
            : null;

    /// <summary>Whether <paramref name="bytes"/> may come somewhere behind <paramref name="previous"/> in this user's
    /// log, where the entries between are not at hand: signed by the same identity.</summary>
    /// <returns>The entry; null for any reason at all, a change of the identity in between too.</returns>
    public static KeyLogEntry? VerifyLater(
        ClusterId cluster, string user, KeyLogEntry previous, ReadOnlySpan<byte> bytes) =>
        VerifyAlone(cluster, user, bytes) is { } entry
        && entry.Seq > previous.Seq && entry.TimeMs >= previous.TimeMs
        && (entry.Features & previous.Features) == previous.Features
        && entry.Identity.Span.SequenceEqual(previous.Identity.Span)
            ? entry
            : null;

    /// <summary>Whether <paramref name="bytes"/> may stand in the place of <paramref name="rival"/> in this user's log:
    /// another entry on top of the same one, signed by the same identity.</summary>
    /// <returns>The entry, or null for any reason at all.</returns>
    public static KeyLogEntry? VerifyInPlace(
        ClusterId cluster, string user, KeyLogEntry rival, ReadOnlySpan<byte> bytes) =>
        VerifyAlone(cluster, user, bytes) is { Seq: > 0 } entry
        && entry.Seq == rival.Seq && entry.Previous == rival.Previous && entry.Hash != rival.Hash
        && entry.Identity.Span.SequenceEqual(rival.Identity.Span)
            ? entry
            : null;

    /// <summary>This log with one entry more; null when the entry may not follow.</summary>
    public KeyLog? Append(ReadOnlySpan<byte> bytes) =>
        VerifyNext(Cluster, User, Head, bytes) is { } entry ? new(Entries.Add(entry)) : null;

    /// <summary>The entry with this hash, if it is one of this log's.</summary>
    public KeyLogEntry? Find(Digest hash)
    {
        foreach (var entry in Entries)
        {
            if (entry.Hash == hash)
                return entry;
        }

        return null;
    }

    /// <summary>The entry of a device epoch, if this log reaches so far.</summary>
    public KeyLogEntry? AtEpoch(uint epoch) => epoch - 1 < (uint)Entries.Length ? Entries[(int)epoch - 1] : null;

    private static bool IsFirst(KeyLogEntry entry) =>
        entry is { Type: KeyLogEntryType.Create, Seq: 0, Epoch: 1 } && entry.Previous == default;

    private static bool IsLater(KeyLogEntry entry) =>
        entry.Type != KeyLogEntryType.Create && entry.Seq > 0 && entry.Epoch == entry.Seq + 1;

    private static bool MayFollow(KeyLogEntry previous, KeyLogEntry entry) =>
        entry.Type != KeyLogEntryType.Create
        && entry.Previous == previous.Hash
        && entry.Seq == previous.Seq + 1 && entry.Epoch == previous.Epoch + 1
        && entry.TimeMs >= previous.TimeMs
        && (entry.Features & previous.Features) == previous.Features
        && HasNewDeviceKeys(previous, entry)
        && HasRightIdentity(previous, entry);

    // Old keys in a new epoch would undo what the new epoch is for.
    private static bool HasNewDeviceKeys(KeyLogEntry previous, KeyLogEntry entry) =>
        !entry.F.Encryption.AsSpan().SequenceEqual(previous.F.Encryption)
        && !entry.F.Device.AsSpan().SequenceEqual(previous.F.Device);

    private static bool HasRightIdentity(KeyLogEntry previous, KeyLogEntry entry)
    {
        var same = entry.Identity.Span.SequenceEqual(previous.Identity.Span);
        return entry.Type == KeyLogEntryType.RotateIdentity
            ? !same && KeyLogEntryBuilder.HasSignatureOf(previous, entry)
            : same;
    }
}
