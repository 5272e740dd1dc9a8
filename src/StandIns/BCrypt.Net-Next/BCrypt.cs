using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;

namespace BCrypt.Net;

/// <summary>bcrypt (Provos and Mazières, 1999) with the names of BCrypt.Net-Next, computed by BouncyCastle.</summary>
/// <remarks>
/// Stricter than the library it stands in for: secrets of more than 72 bytes or with a NUL, which bcrypt would cut
/// short, are refused, and so is a hash whose cost would make a login trivial to guess or take seconds.
/// </remarks>
public static class BCrypt
{
    private const int SecretBytesMax = 72;
    private const int DefaultCost = 11;

    /// <param name="inputKey">At most 72 bytes of UTF-8, no NUL.</param>
    /// <param name="workFactor">Base-2 logarithm of the rounds, 4 to 31; one more doubles the time.</param>
    /// <returns>60 characters that hold version, cost, salt and hash.</returns>
    /// <exception cref="ArgumentException">The secret is too long or has a NUL.</exception>
    public static string HashPassword(string inputKey, int workFactor = DefaultCost) =>
        HashPassword(inputKey, GenerateSalt(workFactor));

    /// <param name="inputKey">At most 72 bytes of UTF-8, no NUL.</param>
    /// <param name="salt">From <see cref="GenerateSalt"/>, or a whole hash, of which only the salt is used.</param>
    /// <exception cref="ArgumentException">The secret is too long or has a NUL.</exception>
    /// <exception cref="SaltParseException">The salt is not one.</exception>
    public static string HashPassword(string inputKey, string salt)
    {
        ArgumentNullException.ThrowIfNull(inputKey);
        if (!Fits(inputKey))
            throw new ArgumentException(
                $"A secret must be at most {SecretBytesMax} bytes long and free of NULs.", nameof(inputKey));
        var parsed = Salt.Parse(salt);
        return OpenBsdBCrypt.Generate(parsed.Version, inputKey.ToCharArray(), parsed.Bytes, parsed.Cost);
    }

    /// <summary>Whether <paramref name="hash"/> was made of <paramref name="text"/>; takes the same time either
    /// way.</summary>
    /// <exception cref="SaltParseException">The hash is not one, or its cost is outside 10 to 14.</exception>
    public static bool Verify(string text, string hash)
    {
        ArgumentNullException.ThrowIfNull(text);
        var salt = Salt.Parse(hash);
        if (hash.Length != Salt.HashLength)
            throw new SaltParseException($"A bcrypt hash has {Salt.HashLength} characters, not {hash.Length}.");
        if (salt.Cost is < Salt.VerifiedCostMin or > Salt.VerifiedCostMax)
            throw new SaltParseException(
                $"Cost {salt.Cost} is outside {Salt.VerifiedCostMin} to {Salt.VerifiedCostMax}.");
        return Fits(text) && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(HashPassword(text, hash)), Encoding.ASCII.GetBytes(hash));
    }

    /// <param name="workFactor">4 to 31.</param>
    /// <param name="bcryptMinorRevision">a, b or y; they differ only in name here.</param>
    public static string GenerateSalt(int workFactor = DefaultCost, char bcryptMinorRevision = 'a') =>
        Salt.Random(workFactor, bcryptMinorRevision).ToString();

    /// <summary>Whether the hash was made at a lower cost than is wanted now.</summary>
    public static bool PasswordNeedsRehash(string hash, int newMinimumWorkLoad) =>
        Salt.Parse(hash).Cost < newMinimumWorkLoad;

    private static bool Fits(string secret) =>
        !secret.Contains('\0') && Encoding.UTF8.GetByteCount(secret) <= SecretBytesMax;
}
