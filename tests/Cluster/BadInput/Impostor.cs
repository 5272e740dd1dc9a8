using System.Security.Cryptography;
using ChordChat.Core.Chat;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>What somebody who wants another's name can make without that person's keys: an account of the same name,
/// genuine in itself, with a key log as long as they like.</summary>
internal sealed class Impostor
{
    private readonly List<KeyLogEntry> _log = [];
    private readonly List<byte[]> _rings = [];

    public Impostor(ClusterId cluster, string user, int entries)
    {
        using var identity = IdentityKey.Create();
        EncryptionKey[] keys = [EncryptionKey.Create(), EncryptionKey.Create()];
        for (var i = 0; i < entries; i++)
        {
            _rings.Add(RandomNumberGenerator.GetBytes(200));
            var ring = KeyringBlob.HashOf(_rings[^1]);
            var device = new DeviceKeys((UInt128)i + 1, keys[i % 2], DeviceKey.Create());
            _log.Add(i == 0
                ? KeyLogEntryBuilder.Create(cluster, user, 1, identity, device, ring, KdfParameters.New())
                : KeyLogEntryBuilder.NewDevice(_log[^1], 2, identity, device, ring, KdfParameters.New()));
        }
    }

    public ReadOnlyMemory<byte> Entry(int number) => _log[number].Bytes;

    /// <param name="like">The account whose name and credential it takes.</param>
    /// <param name="number">Of the entry that is its head.</param>
    public ReadOnlyMemory<byte> Account(Account like, int number) => (like with
    {
        Version = (ulong)number + 1,
        Head = new((ulong)number, (uint)number + 1, Entry(number)),
        Keyring = _rings[number],
        PreviousKeyring = number == 0 ? default(ReadOnlyMemory<byte>) : _rings[number - 1],
    }).ToBytes();
}
