using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>Wraps 32-byte keys for the one who holds the private half. docs/e2e.md, Keys.</summary>
/// <remarks>Imported once and kept: an import costs more than a wrap.</remarks>
public sealed class EncryptionPublicKey : IDisposable
{
    internal const int WrappedBytes = RsaWire.ModulusBytes;

    private readonly RSA _rsa;

    private EncryptionPublicKey(RSA rsa, byte[] modulus) =>
        (_rsa, Modulus, Id) = (rsa, modulus, IdOf(modulus));

    /// <summary>384 bytes, big-endian.</summary>
    public ReadOnlyMemory<byte> Modulus { get; }

    /// <summary>ekId = H("ek-id", modulus): names the key in envelopes.</summary>
    public Digest Id { get; }

    /// <returns>Null unless these are the 384 bytes of a 3072-bit modulus.</returns>
    public static EncryptionPublicKey? TryImport(ReadOnlySpan<byte> modulus) =>
        RsaWire.TryImportPublic(modulus) is { } rsa ? new(rsa, modulus.ToArray()) : null;

    public void Dispose() => _rsa.Dispose();

    internal static Digest IdOf(ReadOnlySpan<byte> modulus) => Digest.Of(Labels.EncryptionKeyId, modulus);

    /// <summary>OAEP with SHA-256 over the purpose byte and the key; 384 bytes.</summary>
    internal byte[] Wrap(WrapPurpose purpose, ReadOnlySpan<byte> key)
    {
        Span<byte> plain = stackalloc byte[33];
        plain[0] = (byte)purpose;
        key.CopyTo(plain[1..]);
        var wrapped = _rsa.Encrypt(plain, RSAEncryptionPadding.OaepSHA256);
        CryptographicOperations.ZeroMemory(plain);
        return wrapped;
    }
}
