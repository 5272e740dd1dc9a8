using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>The one form an RSA key has on the wire: 3072 bits, e = 65537, the modulus as 384 bytes. No DER.</summary>
internal static class RsaWire
{
    public const int Bits = 3072;
    public const int ModulusBytes = Bits / 8;
    public const int Pkcs8BytesMax = 2_048;

    private static readonly byte[] Exponent = [1, 0, 1];

    /// <summary>Whether these bytes can be a modulus: 384 of them, the top bit set, odd.</summary>
    public static bool IsModulus(ReadOnlySpan<byte> modulus) =>
        modulus.Length == ModulusBytes && modulus[0] >= 0x80 && (modulus[^1] & 1) == 1;

    public static RSA? TryImportPublic(ReadOnlySpan<byte> modulus) => IsModulus(modulus)
        ? RSA.Create(new RSAParameters { Modulus = modulus.ToArray(), Exponent = Exponent })
        : null;

    public static RSA? TryImportPrivate(ReadOnlySpan<byte> pkcs8)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportPkcs8PrivateKey(pkcs8, out var read);
            if (read == pkcs8.Length && TryModulusOf(rsa) is not null)
                return rsa;
        }
        catch (CryptographicException)
        {
            // Falls through to the one answer.
        }

        rsa.Dispose();
        return null;
    }

    /// <summary>A new key, made now and not on first use: about a second of one core.</summary>
    public static RSA Create()
    {
        var rsa = RSA.Create(Bits);
        rsa.ExportParameters(includePrivateParameters: false);
        return rsa;
    }

    public static byte[] ModulusOf(RSA rsa) =>
        TryModulusOf(rsa) ?? throw new CryptographicException("not a 3072-bit key");

    private static byte[]? TryModulusOf(RSA rsa)
    {
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        return IsModulus(parameters.Modulus) && parameters.Exponent.AsSpan().SequenceEqual(Exponent)
            ? parameters.Modulus
            : null;
    }
}
