using System.Buffers.Binary;
using System.Security.Cryptography;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Keys;

/// <summary>The keys that one login makes for its device. docs/e2e.md, Keys.</summary>
/// <param name="DeviceId">16 random bytes, big-endian.</param>
public sealed record DeviceKeys(UInt128 DeviceId, EncryptionKey Encryption, DeviceKey Signing) : IDisposable
{
    /// <summary>Makes all of them: about a second of one core, for the RSA key.</summary>
    public static DeviceKeys Create() => new(
        BinaryPrimitives.ReadUInt128BigEndian(RandomNumberGenerator.GetBytes(16)),
        EncryptionKey.Create(),
        DeviceKey.Create());

    /// <summary>All of them in bytes, for the device's own disk; secrets that the caller seals and zeroes.</summary>
    public byte[] Export()
    {
        var (encryption, signing) = (Encryption.ExportPkcs8(), Signing.ExportPkcs8());
        var bytes = new Writer(4_096).Raw("CCDK"u8).U8(1).U128(DeviceId).B16(encryption).B16(signing).Finish();
        CryptographicOperations.ZeroMemory(encryption);
        CryptographicOperations.ZeroMemory(signing);
        return bytes;
    }

    /// <returns>Null for any damage.</returns>
    public static DeviceKeys? TryImport(ReadOnlySpan<byte> bytes)
    {
        var reader = new Reader(bytes);
        reader.Expect("CCDK"u8);
        reader.Expect([1]);
        var deviceId = reader.U128();
        var encryptionBytes = reader.B16(RsaWire.Pkcs8BytesMax);
        var signingBytes = reader.B16(RsaWire.Pkcs8BytesMax);
        if (!reader.AtEnd)
            return null;
        var (encryption, signing) = (EncryptionKey.TryImport(encryptionBytes), DeviceKey.TryImport(signingBytes));
        if (encryption is not null && signing is not null)
            return new(deviceId, encryption, signing);
        encryption?.Dispose();
        signing?.Dispose();
        return null;
    }

    public void Dispose()
    {
        Encryption.Dispose();
        Signing.Dispose();
    }
}
