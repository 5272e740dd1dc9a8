using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.KeyLogs;

/// <summary>
/// 60 digits that two people compare to be sure of each other's identity. docs/e2e.md, Safety number.
/// </summary>
/// <param name="Digits">60 digits, the same for both.</param>
/// <param name="Qr">69 bytes: the same in full, for a QR code.</param>
public sealed record SafetyNumber(string Digits, ReadOnlyMemory<byte> Qr)
{
    private const int Iterations = 10_000;
    private const int HashBytes = 32;
    private const int GroupsPerUser = 6;

    /// <summary>About 10 ms: stretched, so that nobody searches for keys with a similar number.</summary>
    /// <exception cref="ArgumentException">The logs are of two clusters or of one user.</exception>
    public static SafetyNumber Of(KeyLog a, KeyLog b) => a.Cluster == b.Cluster && a.User != b.User
        ? Of(a.Cluster, a.User, a.Head.Identity.Span, b.User, b.Head.Identity.Span)
        : throw new ArgumentException("a safety number is between two users of one cluster", nameof(b));

    /// <summary>Twelve groups of five digits, as people read them aloud.</summary>
    public override string ToString() => string.Join(' ', Digits.Chunk(5).Select(group => new string(group)));

    internal static SafetyNumber Of(
        ClusterId cluster, string userA, ReadOnlySpan<byte> identityA, string userB, ReadOnlySpan<byte> identityB)
    {
        var (a, b) = (HashOf(cluster, userA, identityA), HashOf(cluster, userB, identityB));
        var (digitsA, digitsB) = (DigitsOf(a), DigitsOf(b));
        return string.CompareOrdinal(digitsA, digitsB) < 0
            ? new(digitsA + digitsB, (byte[])[.. "CCSN1"u8, .. a, .. b])
            : new(digitsB + digitsA, (byte[])[.. "CCSN1"u8, .. b, .. a]);
    }

    private static byte[] HashOf(ClusterId cluster, string user, ReadOnlySpan<byte> identity)
    {
        var salt = new Writer().Raw(Labels.Safety).Cluster(cluster).User(user).Finish();
        return Rfc2898DeriveBytes.Pbkdf2(identity, salt, Iterations, HashAlgorithmName.SHA256, HashBytes);
    }

    private static string DigitsOf(byte[] hash)
    {
        var groups = new string[GroupsPerUser];
        for (var i = 0; i < GroupsPerUser; i++)
        {
            var five = hash.AsSpan(5 * i, 5);
            var value = (ulong)five[0] << 32 | BinaryPrimitives.ReadUInt32BigEndian(five[1..]);
            groups[i] = (value % 100_000).ToString("d5", CultureInfo.InvariantCulture);
        }

        return string.Concat(groups);
    }
}
