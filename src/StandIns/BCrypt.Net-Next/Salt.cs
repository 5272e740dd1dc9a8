using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace BCrypt.Net;

/// <summary>The first 29 characters of a hash, <c>$2b$12$</c> and 22 of bcrypt's own base64.</summary>
internal readonly partial record struct Salt(string Version, int Cost, byte[] Bytes)
{
    public const int HashLength = 60;
    public const int VerifiedCostMin = 10;
    public const int VerifiedCostMax = 14;

    private const int ByteCount = 16;
    private const string Digits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    public static Salt Random(int cost, char revision)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, 31);
        if (revision is not ('a' or 'b' or 'y'))
            throw new ArgumentException($"bcrypt has no revision '{revision}'.", nameof(revision));
        return new Salt($"2{revision}", cost, RandomNumberGenerator.GetBytes(ByteCount));
    }

    /// <summary>Reads a salt, or the salt of a hash.</summary>
    /// <exception cref="SaltParseException">It is neither.</exception>
    public static Salt Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Shape().Match(text) is not { Success: true } match)
            throw new SaltParseException("This is no bcrypt salt or hash of revision a, b or y.");
        var cost = int.Parse(match.Groups["cost"].ValueSpan, CultureInfo.InvariantCulture);
        if (cost is < 4 or > 31)
            throw new SaltParseException($"Cost {cost} is outside 4 to 31.");
        return new Salt(match.Groups["version"].Value, cost, Decode(match.Groups["salt"].Value));
    }

    public override string ToString() => $"${Version}${Cost:00}${Encode(Bytes)}";

    [GeneratedRegex(@"\A\$(?<version>2[aby])\$(?<cost>[0-9]{2})\$(?<salt>[./A-Za-z0-9]{22})"
        + @"(?<hash>[./A-Za-z0-9]{31})?\z")]
    private static partial Regex Shape();

    // Most significant bits first, no padding: base64 with other digits.
    private static string Encode(byte[] bytes)
    {
        var text = new char[(bytes.Length * 8 + 5) / 6];
        for (var i = 0; i < text.Length; i++)
        {
            var pair = bytes[i * 6 / 8] << 8 | (i * 6 / 8 + 1 < bytes.Length ? bytes[i * 6 / 8 + 1] : 0);
            text[i] = Digits[pair >> (10 - i * 6 % 8) & 63];
        }

        return new string(text);
    }

    private static byte[] Decode(string text)
    {
        var bytes = new byte[text.Length * 6 / 8];
        for (var (i, bits, held) = (0, 0, 0); i < text.Length; i++)
        {
            (bits, held) = (bits << 6 | Digits.IndexOf(text[i], StringComparison.Ordinal), held + 6);
            if (held >= 8 && (i + 1) * 6 / 8 <= bytes.Length)
                (bytes[(i + 1) * 6 / 8 - 1], held) = ((byte)(bits >> (held - 8)), held - 8);
        }

        return bytes;
    }
}
