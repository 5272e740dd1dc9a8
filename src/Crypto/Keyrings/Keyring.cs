using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.Keyrings;

/// <summary>All of a user's private keys that outlive a device, open. docs/e2e.md, Keyring.</summary>
/// <remarks>
/// Owns its keys: dispose of it and they are gone. <see cref="WithDevice(uint, DeviceKeys)"/> makes the next version,
/// which shares the keys of this one; dispose of the last version only.
/// </remarks>
public sealed class Keyring : IDisposable
{
    /// <summary>
    /// When there are more, the oldest go, and with them the mail of that epoch that nobody read again.
    /// </summary>
    public const int EncryptionKeysMax = 256;

    private readonly ImmutableDictionary<Digest, EncryptionKey> _byId;

    private Keyring(
        ulong ringSeq, IdentityKey identity, ImmutableArray<(uint Epoch, EncryptionKey Key)> encryptionKeys,
        ImmutableArray<HistoryKey> historyKeys)
    {
        (RingSeq, Identity, EncryptionKeys, HistoryKeys) = (ringSeq, identity, encryptionKeys, historyKeys);
        _byId = encryptionKeys.ToImmutableDictionary(e => e.Key.Id, e => e.Key);
    }

    /// <summary>The version of this ring: 1 for the first, one more with every change.</summary>
    public ulong RingSeq { get; }

    public IdentityKey Identity { get; }

    /// <summary>Oldest first, epochs rising.</summary>
    public ImmutableArray<(uint Epoch, EncryptionKey Key)> EncryptionKeys { get; }

    /// <summary>Oldest first, numbers rising.</summary>
    public ImmutableArray<HistoryKey> HistoryKeys { get; }

    /// <summary>The ring of a new account, with its first history key.</summary>
    public static Keyring Create(IdentityKey identity, DeviceKeys device) =>
        new(1, identity, [(1, device.Encryption)], [NewHistoryKey(1)]);

    /// <summary>The next version: the keys of a new device epoch and a new history key.</summary>
    public Keyring WithDevice(uint epoch, DeviceKeys device) => WithDevice(epoch, device, Identity);

    /// <summary>The next version under a new identity, for a rotation.</summary>
    public Keyring WithDevice(uint epoch, DeviceKeys device, IdentityKey identity)
    {
        if (epoch <= EncryptionKeys[^1].Epoch)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch, "epochs only rise");
        var keys = EncryptionKeys.Add((epoch, device.Encryption));
        var history = HistoryKeys.Add(NewHistoryKey(HistoryKeys[^1].Number + 1));
        return new(
            RingSeq + 1, identity, [.. keys.TakeLast(EncryptionKeysMax)], [.. history.TakeLast(EncryptionKeysMax)]);
    }

    /// <summary>The private key with this ekId, of any epoch; for opening envelopes.</summary>
    public EncryptionKey? Find(Digest ekId) => _byId.GetValueOrDefault(ekId);

    /// <summary>Whether every key in here is the one that the log names, and the newest is there.</summary>
    /// <remarks>
    /// Ask before using a ring that came from a node: MEGA lost its users' keys by not asking (2022).
    /// </remarks>
    public bool Matches(KeyLog log)
    {
        var head = log.Head;
        if (!Identity.PublicModulus.Span.SequenceEqual(head.Identity.Span) || EncryptionKeys[^1].Epoch != head.Epoch)
            return false;
        foreach (var (epoch, key) in EncryptionKeys)
        {
            if (log.AtEpoch(epoch)?.EncryptionKey.Id != key.Id)
                return false;
        }

        return true;
    }

    public void Dispose()
    {
        Identity.Dispose();
        foreach (var (_, key) in EncryptionKeys)
            key.Dispose();
        foreach (var history in HistoryKeys)
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(history.Key).Span);
    }

    /// <summary>Every secret in the ring, unpadded; the caller zeroes it.</summary>
    internal byte[] Write()
    {
        var writer = new Writer(Padding.PageBytes);
        WriteKey(writer, Identity.ExportPkcs8());
        writer.U16((ushort)EncryptionKeys.Length);
        foreach (var (epoch, key) in EncryptionKeys)
            WriteKey(writer.U32(epoch), key.ExportPkcs8());
        writer.U16((ushort)HistoryKeys.Length);
        foreach (var history in HistoryKeys)
            writer.U32(history.Number).Raw(history.Key.Span);
        return writer.Finish();
    }

    internal static Keyring? TryRead(ulong ringSeq, ReadOnlySpan<byte> plain)
    {
        var reader = new Reader(plain);
        var identity = IdentityKey.TryImport(reader.B16(RsaWire.Pkcs8BytesMax));
        reader.Require(identity is not null);
        var encryptionKeys = ReadEncryptionKeys(ref reader);
        var historyKeys = ReadHistoryKeys(ref reader);
        if (reader.AtEnd)
            return new(ringSeq, identity!, encryptionKeys, historyKeys);
        identity?.Dispose();
        foreach (var (_, key) in encryptionKeys)
            key.Dispose();
        return null;
    }

    private static ImmutableArray<(uint Epoch, EncryptionKey Key)> ReadEncryptionKeys(ref Reader reader)
    {
        var count = reader.U16();
        reader.Require(count is > 0 and <= EncryptionKeysMax);
        var keys = ImmutableArray.CreateBuilder<(uint Epoch, EncryptionKey Key)>();
        for (var i = 0; i < count && reader.Ok; i++)
        {
            var epoch = reader.U32();
            reader.Require(epoch > (i == 0 ? 0 : keys[^1].Epoch));
            var key = EncryptionKey.TryImport(reader.B16(RsaWire.Pkcs8BytesMax));
            reader.Require(key is not null && keys.All(k => k.Key.Id != key.Id));
            if (key is not null)
                keys.Add((epoch, key));
        }

        return keys.ToImmutable();
    }

    private static ImmutableArray<HistoryKey> ReadHistoryKeys(ref Reader reader)
    {
        var count = reader.U16();
        reader.Require(count is > 0 and <= EncryptionKeysMax);
        var keys = ImmutableArray.CreateBuilder<HistoryKey>();
        for (var i = 0; i < count && reader.Ok; i++)
        {
            var number = reader.U32();
            reader.Require(number > (i == 0 ? 0 : keys[^1].Number));
            keys.Add(new(number, reader.Raw(HistoryKey.Bytes).ToArray()));
        }

        return keys.ToImmutable();
    }

    private static void WriteKey(Writer writer, byte[] pkcs8)
    {
        writer.B16(pkcs8);
        CryptographicOperations.ZeroMemory(pkcs8);
    }

    private static HistoryKey NewHistoryKey(uint number) =>
        new(number, RandomNumberGenerator.GetBytes(HistoryKey.Bytes));
}
