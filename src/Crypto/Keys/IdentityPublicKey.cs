using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>Who a user is: checks what their identity key signed. docs/e2e.md, Keys.</summary>
public sealed class IdentityPublicKey : IDisposable
{
    private readonly RSA _rsa;

    private IdentityPublicKey(RSA rsa, byte[] modulus) => (_rsa, Modulus) = (rsa, modulus);

    /// <summary>384 bytes, big-endian.</summary>
    public ReadOnlyMemory<byte> Modulus { get; }

    /// <summary>H("ik-id", modulus): what a pin remembers.</summary>
    public Digest Id => IdOf(Modulus.Span);

    /// <returns>Null unless these are the 384 bytes of a 3072-bit modulus.</returns>
    public static IdentityPublicKey? TryImport(ReadOnlySpan<byte> modulus) =>
        RsaWire.TryImportPublic(modulus) is { } rsa ? new(rsa, modulus.ToArray()) : null;

    public void Dispose() => _rsa.Dispose();

    internal static Digest IdOf(ReadOnlySpan<byte> modulus) => Digest.Of(Labels.IdentityKeyId, modulus);

    /// <summary>PSS, SHA-256, MGF1-SHA-256, salt of 32 bytes; any other salt is refused.</summary>
    internal bool Verify(byte[] label, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        _rsa.VerifyData([.. label, .. data], signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
}
