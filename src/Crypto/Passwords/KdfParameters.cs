using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChordChat.Crypto.Passwords;

/// <summary>How a password is stretched: PBKDF2-HMAC-SHA256 iterations and a random salt of 16 bytes.</summary>
/// <remarks>
/// Stands in the signed key log, so no node can talk a client into fewer iterations. docs/e2e.md, Passwords.
/// </remarks>
public readonly record struct KdfParameters(uint Iterations, UInt128 Salt)
{
    public const int SaltBytes = 16;
    public const uint IterationsMin = 600_000;
    public const uint IterationsDefault = 1_000_000;
    public const uint IterationsMax = 10_000_000;

    /// <summary>
    /// Whether a client may use them: below the floor guessing is too cheap, above the cap login takes minutes.
    /// </summary>
    public bool AreAcceptable => Iterations is >= IterationsMin and <= IterationsMax;

    /// <summary>The default number of iterations with a fresh salt: for every new password.</summary>
    public static KdfParameters New() => FromBytes(IterationsDefault, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <param name="salt">16 bytes.</param>
    public static KdfParameters FromBytes(uint iterations, ReadOnlySpan<byte> salt) => salt.Length == SaltBytes
        ? new(iterations, BinaryPrimitives.ReadUInt128BigEndian(salt))
        : throw new ArgumentException($"a salt has {SaltBytes} bytes, not {salt.Length}", nameof(salt));

    public byte[] ToSaltBytes()
    {
        var bytes = new byte[SaltBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Salt);
        return bytes;
    }
}
