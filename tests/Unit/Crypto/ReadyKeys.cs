using System.Buffers.Binary;
using System.Security.Cryptography;
using ChordChat.Crypto.Keys;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>RSA keys that all tests of a process share, because each takes a second to make. One instance, for one
/// test, hands out each of them once before it begins again.</summary>
/// <remarks>Device ids and signing keys are new each time. Safe for threads.</remarks>
internal sealed class ReadyKeys
{
    private const int Count = 16;

    private static readonly Lazy<byte[]>[] Made = [.. Enumerable.Range(0, Count).Select(_ => new Lazy<byte[]>(Make))];

    private int _last = -1;

    public IdentityKey Identity() => IdentityKey.TryImport(Next())!;

    public DeviceKeys Device() => new(
        BinaryPrimitives.ReadUInt128BigEndian(RandomNumberGenerator.GetBytes(16)),
        EncryptionKey.TryImport(Next())!,
        DeviceKey.Create());

    private byte[] Next() => Made[(uint)Interlocked.Increment(ref _last) % Count].Value;

    private static byte[] Make()
    {
        using var key = EncryptionKey.Create();
        return key.ExportPkcs8();
    }
}
