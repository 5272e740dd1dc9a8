using System.Security.Cryptography;

namespace ChordChat.Crypto.Keys;

/// <summary>Checks what one device of a user signed: messages, sessions, settings. docs/e2e.md, Keys.</summary>
public sealed class DevicePublicKey : IDisposable
{
    public const int PointBytes = 65;

    /// <summary>r || s, 32 bytes each (IEEE P1363).</summary>
    public const int SignatureBytes = 64;

    private readonly ECDsa _ecdsa;

    private DevicePublicKey(ECDsa ecdsa, byte[] point) => (_ecdsa, Point) = (ecdsa, point);

    /// <summary>65 bytes: 0x04, x, y.</summary>
    public ReadOnlyMemory<byte> Point { get; }

    /// <returns>Null unless these are the 65 bytes of a point on P-256.</returns>
    public static DevicePublicKey? TryImport(ReadOnlySpan<byte> point)
    {
        if (point.Length != PointBytes || point[0] != 4)
            return null;
        try
        {
            var q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() };
            return new(ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = q }), point.ToArray());
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void Dispose() => _ecdsa.Dispose();

    /// <remarks>
    /// ECDSA is malleable: two signatures of one body may both verify. So no id or chain contains one.
    /// </remarks>
    internal bool Verify(byte[] label, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == SignatureBytes
        && _ecdsa.VerifyData([.. label, .. data], signature, HashAlgorithmName.SHA256);
}
