using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>EK: the RSA-3072 key of one device epoch that message keys are wrapped for.</summary>
/// <remarks>Lives on the device and, for the history, in the keyring. docs/e2e.md, Keys.</remarks>
public sealed class EncryptionKey : IDisposable
{
    private readonly RSA _rsa;

    private EncryptionKey(RSA rsa)
    {
        _rsa = rsa;
        PublicModulus = RsaWire.ModulusOf(rsa);
        Id = EncryptionPublicKey.IdOf(PublicModulus.Span);
    }

    /// <summary>384 bytes, big-endian.</summary>
    public ReadOnlyMemory<byte> PublicModulus { get; }

    /// <summary>ekId: names the key in envelopes.</summary>
    public Digest Id { get; }

    /// <summary>Makes a new key: about a second of one core.</summary>
    public static EncryptionKey Create() => new(RsaWire.Create());

    /// <returns>Null unless this is PKCS#8 of a sound RSA-3072 key with e = 65537 and nothing behind it.</returns>
    public static EncryptionKey? TryImport(ReadOnlySpan<byte> pkcs8) =>
        RsaWire.TryImportPrivate(pkcs8) is { } rsa ? new(rsa) : null;

    /// <summary>PKCS#8; a secret that the caller zeroes.</summary>
    public byte[] ExportPkcs8() => _rsa.ExportPkcs8PrivateKey();

    public void Dispose() => _rsa.Dispose();

    /// <param name="key">32 bytes; the caller zeroes them.</param>
    /// <returns>False for any damage, a foreign key and another purpose alike.</returns>
    internal bool TryUnwrap(WrapPurpose purpose, ReadOnlySpan<byte> wrapped, Span<byte> key)
    {
        Span<byte> plain = stackalloc byte[RsaWire.ModulusBytes];
        try
        {
            if (!_rsa.TryDecrypt(wrapped, plain, RSAEncryptionPadding.OaepSHA256, out var length))
                return false;
            if (length != 1 + key.Length || plain[0] != (byte)purpose)
                return false;
            plain[1..length].CopyTo(key);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
