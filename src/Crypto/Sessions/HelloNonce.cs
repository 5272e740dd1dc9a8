using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChordChat.Crypto.Sessions;

/// <summary>The client's nonce of a hello: says which of two hellos of one device is the later one. docs/e2e.md,
/// Session.</summary>
public static class HelloNonce
{
    private const int TimeBytes = 8;

    /// <param name="timeMs">Unix time in ms; later than that of every hello that this profile made before.</param>
    /// <returns>32 bytes.</returns>
    public static byte[] New(long timeMs)
    {
        var nonce = RandomNumberGenerator.GetBytes(SessionProof.NonceBytes);
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(0, TimeBytes), (ulong)timeMs);
        return nonce;
    }

    /// <param name="nonce">32 bytes.</param>
    /// <returns>What its maker says: Unix time in ms, or anything.</returns>
    public static ulong TimeMsOf(ReadOnlySpan<byte> nonce) => BinaryPrimitives.ReadUInt64BigEndian(nonce);

    /// <summary>Whether the hello with the nonce <paramref name="one"/> is later than that with
    /// <paramref name="other"/>.</summary>
    public static bool IsLater(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) => one.SequenceCompareTo(other) > 0;
}
