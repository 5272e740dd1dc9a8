using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>DSK: the ECDSA P-256 key of one device epoch. Signs messages, sessions and settings.</summary>
/// <remarks>
/// Never leaves the device, not even in the keyring: a login elsewhere makes a new one. docs/e2e.md, Keys.
/// </remarks>
public sealed class DeviceKey : IDisposable
{
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly ECDsa _ecdsa;

    private DeviceKey(ECDsa ecdsa)
    {
        _ecdsa = ecdsa;
        var q = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        PublicPoint = (byte[])[4, .. q.X!, .. q.Y!];
    }

    /// <summary>65 bytes: 0x04, x, y.</summary>
    public ReadOnlyMemory<byte> PublicPoint { get; }

    public static DeviceKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <returns>Null unless this is PKCS#8 of a P-256 key with nothing behind it.</returns>
    public static DeviceKey? TryImport(ReadOnlySpan<byte> pkcs8)
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportPkcs8PrivateKey(pkcs8, out var read);
            if (read == pkcs8.Length && ecdsa.ExportParameters(false).Curve.Oid is { Value: P256 })
                return new(ecdsa);
        }
        catch (CryptographicException)
        {
            // Falls through to the one answer.
        }

        ecdsa.Dispose();
        return null;
    }

    /// <summary>PKCS#8; a secret that the caller zeroes.</summary>
    public byte[] ExportPkcs8() => _ecdsa.ExportPkcs8PrivateKey();

    public void Dispose() => _ecdsa.Dispose();

    internal byte[] Sign(byte[] label, ReadOnlySpan<byte> data) =>
        _ecdsa.SignData([.. label, .. data], HashAlgorithmName.SHA256);
}
