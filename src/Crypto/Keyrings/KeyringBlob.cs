using System.Security.Cryptography;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Crypto.Keyrings;

/// <summary>
/// A keyring sealed under the password, as nodes keep it, or under a recovery code. docs/e2e.md, Keyring.
/// </summary>
/// <remarks>A node stores it, replicates it and cannot open it.</remarks>
public static class KeyringBlob
{
    /// <summary>No blob is longer than this.</summary>
    public const int BytesMax = 640 * 1024;

    private const int SaltBytes = 32;

    /// <summary>H("ring-hash", blob): what the key-log entry of this keyring says about it.</summary>
    public static Digest HashOf(ReadOnlySpan<byte> blob) => Digest.Of(Labels.RingHash, blob);

    /// <summary>Seals a ring under the password's key. The parameters stand in it, authenticated.</summary>
    public static byte[] Seal(ClusterId cluster, string user, Keyring ring, PasswordKeys password, KdfParameters kdf) =>
        Seal(cluster, user, ring, password.KeyringKey, kdf, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <returns>
    /// The ring; null for a wrong password, any damage, another user and another cluster alike. The caller then asks
    /// <see cref="IsThatOf"/> and <see cref="Keyring.Matches"/> before using it.
    /// </returns>
    public static Keyring? Open(ClusterId cluster, string user, PasswordKeys password, ReadOnlySpan<byte> blob)
    {
        var reader = new Reader(blob);
        var ringSeq = ReadHead(ref reader, "CCKR"u8, cluster, user);
        reader.Require(new KdfParameters(reader.U32(), reader.U128()).AreAcceptable);
        return OpenBox(ref reader, blob, cluster, user, ringSeq, password.KeyringKey);
    }

    /// <summary>Whether the log's newest entry names exactly this blob: an older one is a rollback.</summary>
    public static bool IsThatOf(KeyLog log, ReadOnlySpan<byte> blob) => HashOf(blob) == log.Head.RingHash;

    /// <summary>A second copy, under a recovery code that its user has on paper.</summary>
    public static byte[] SealForRecovery(ClusterId cluster, string user, Keyring ring, RecoveryCode code)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var prefix = Head("CCRK"u8, cluster, user, ring.RingSeq).Raw(salt).Finish();
        var key = code.KeyFor(cluster, user);
        var blob = SealBox(prefix, cluster, user, ring, key, salt);
        CryptographicOperations.ZeroMemory(key);
        return blob;
    }

    /// <returns>The ring; null for a wrong code and for any damage alike.</returns>
    public static Keyring? Recover(ClusterId cluster, string user, RecoveryCode code, ReadOnlySpan<byte> blob)
    {
        var reader = new Reader(blob);
        var ringSeq = ReadHead(ref reader, "CCRK"u8, cluster, user);
        var key = code.KeyFor(cluster, user);
        var ring = OpenBox(ref reader, blob, cluster, user, ringSeq, key);
        CryptographicOperations.ZeroMemory(key);
        return ring;
    }

    internal static byte[] Seal(
        ClusterId cluster, string user, Keyring ring, ReadOnlySpan<byte> key, KdfParameters kdf, byte[] salt)
    {
        var prefix = Head("CCKR"u8, cluster, user, ring.RingSeq).U32(kdf.Iterations).U128(kdf.Salt).Raw(salt).Finish();
        return SealBox(prefix, cluster, user, ring, key, salt);
    }

    private static byte[] SealBox(
        byte[] prefix, ClusterId cluster, string user, Keyring ring, ReadOnlySpan<byte> key, byte[] salt)
    {
        var plain = ring.Write();
        var padded = Padding.Pad(plain, Padding.Pages(plain.Length));
        CryptographicOperations.ZeroMemory(plain);
        var box = CommittingSeal.Seal(key, salt, Labels.Keyring, Context(cluster, user, ring.RingSeq), prefix, padded);
        CryptographicOperations.ZeroMemory(padded);
        return new Writer(prefix.Length + 4 + box.Length).Raw(prefix).B32(box).Finish();
    }

    private static Keyring? OpenBox(
        ref Reader reader, ReadOnlySpan<byte> blob, ClusterId cluster, string user, ulong ringSeq,
        ReadOnlySpan<byte> key)
    {
        var salt = reader.Raw(SaltBytes);
        var prefix = blob[..reader.Position];
        var box = reader.B32(BytesMax);
        if (!reader.AtEnd)
            return null;
        var padded = CommittingSeal.Open(key, salt, Labels.Keyring, Context(cluster, user, ringSeq), prefix, box);
        if (padded is null)
            return null;
        var length = Padding.LengthOf(padded);
        var ring = length >= 0 && padded.Length == Padding.Pages(length)
            ? Keyring.TryRead(ringSeq, padded.AsSpan(0, length))
            : null;
        CryptographicOperations.ZeroMemory(padded);
        return ring;
    }

    private static Writer Head(ReadOnlySpan<byte> magic, ClusterId cluster, string user, ulong ringSeq) =>
        new Writer().Raw(magic).U8(1).Cluster(cluster).User(user).U64(ringSeq);

    private static ulong ReadHead(ref Reader reader, ReadOnlySpan<byte> magic, ClusterId cluster, string user)
    {
        reader.Expect(magic);
        reader.Expect([1]);
        reader.Require(reader.Cluster() == cluster);
        reader.Require(reader.User() == user);
        return reader.U64();
    }

    private static byte[] Context(ClusterId cluster, string user, ulong ringSeq) =>
        new Writer().Cluster(cluster).User(user).U64(ringSeq).Finish();
}
