using System.Security.Cryptography;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Keyrings;

/// <summary>160 random bits on paper that open a second copy of the keyring. docs/e2e.md, Recovery code.</summary>
/// <remarks>Shown once: eight groups of four letters and digits (base32 of RFC 4648, no padding).</remarks>
public sealed class RecoveryCode
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int Bytes = 20;
    private const int Letters = 32;
    private const int KeyBytes = 32;

    private readonly byte[] _code;

    internal RecoveryCode(byte[] code) => _code = code;

    public static RecoveryCode New() => new(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Reads what a person typed: case, spaces and dashes do not matter.</summary>
    /// <returns>Null unless exactly 32 letters and digits of the alphabet are left.</returns>
    public static RecoveryCode? TryParse(string text)
    {
        var code = new byte[Bytes];
        var count = 0;
        foreach (var c in text)
        {
            if (c is ' ' or '-')
                continue;
            var value = Alphabet.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (value < 0 || count == Letters)
                return null;
            for (var bit = 0; bit < 5; bit++)
            {
                var at = count * 5 + bit;
                code[at / 8] |= (byte)((value >> (4 - bit) & 1) << (7 - at % 8));
            }

            count++;
        }

        return count == Letters ? new(code) : null;
    }

    /// <summary>The code itself, in eight groups: a secret.</summary>
    public override string ToString()
    {
        var groups = new List<char>();
        for (var i = 0; i < Letters; i++)
        {
            var value = 0;
            for (var bit = i * 5; bit < i * 5 + 5; bit++)
                value = value << 1 | _code[bit / 8] >> (7 - bit % 8) & 1;
            if (i > 0 && i % 4 == 0)
                groups.Add('-');
            groups.Add(Alphabet[value]);
        }

        return new([.. groups]);
    }

    /// <summary>32 bytes; the caller zeroes them.</summary>
    internal byte[] KeyFor(ClusterId cluster, string user) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256, _code, KeyBytes, salt: [],
            info: [.. Labels.Recovery, .. new Writer().Cluster(cluster).User(user).Finish()]);
}
