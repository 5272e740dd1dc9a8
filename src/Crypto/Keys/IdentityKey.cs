using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>IK: the RSA-3072 key that makes a user the same user. Signs key-log entries and nothing else.</summary>
/// <remarks>Lives in the keyring; dispose of it as soon as the login is done. docs/e2e.md, Keys.</remarks>
public sealed class IdentityKey : IDisposable
{
    private readonly RSA _rsa;

    private IdentityKey(RSA rsa) => (_rsa, PublicModulus) = (rsa, RsaWire.ModulusOf(rsa));

    /// <summary>384 bytes, big-endian.</summary>
    public ReadOnlyMemory<byte> PublicModulus { get; }

    /// <summary>Makes a new key: about a second of one core.</summary>
    public static IdentityKey Create() => new(RsaWire.Create());

    /// <returns>Null unless this is PKCS#8 of a sound RSA-3072 key with e = 65537 and nothing behind it.</returns>
    public static IdentityKey? TryImport(ReadOnlySpan<byte> pkcs8) =>
        RsaWire.TryImportPrivate(pkcs8) is { } rsa ? new(rsa) : null;

    /// <summary>PKCS#8; a secret that the caller zeroes.</summary>
    public byte[] ExportPkcs8() => _rsa.ExportPkcs8PrivateKey();

    public void Dispose() => _rsa.Dispose();

    internal byte[] Sign(byte[] label, ReadOnlySpan<byte> data) =>
        _rsa.SignData([.. label, .. data], HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
}
