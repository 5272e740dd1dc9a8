using System.Security.Cryptography;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Wire;
using Google.Protobuf;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>What a client of one user would keep: signed entries and a keyring. All test users share RSA keys, because
/// making one takes a second; nodes cannot tell.</summary>
internal sealed class ChatUser(string name, ClusterId? cluster = null)
{
    private static readonly IdentityKey Identity = IdentityKey.Create();
    private static readonly EncryptionKey[] Encryption = [EncryptionKey.Create(), EncryptionKey.Create()];

    private readonly List<DeviceKeys> _devices = [];

    public string Name => name;
    public ClusterId Cluster { get; } = cluster ?? ChatCluster.Id;
    public string Secret { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))[..43];
    public byte[] Operation { get; } = RandomNumberGenerator.GetBytes(16);
    public List<KeyLogEntry> Log { get; } = [];
    public int KeyringBytes { get; init; } = 200;
    public byte[] Keyring { get; private set; } = [];

    public DeviceKey Device(uint epoch) => _devices[(int)epoch - 1].Signing;

    public RegisterRequest Registration()
    {
        if (Log.Count == 0)
        {
            var device = NewDevice();
            Log.Add(KeyLogEntryBuilder.Create(
                Cluster, name, 1, Identity, device, KeyringBlob.HashOf(Keyring), KdfParameters.New()));
        }

        return new RegisterRequest
        {
            User = name,
            Operation = ByteString.CopyFrom(Operation),
            Secret = Secret,
            KeyLogEntry = ByteString.CopyFrom(Log[0].Bytes.Span),
            Keyring = ByteString.CopyFrom(Keyring),
        };
    }

    /// <summary>The keys of a new device on top of the log, as that device would publish them.</summary>
    public PublishKeysRequest Publication(ByteString ticket)
    {
        var device = NewDevice();
        Log.Add(KeyLogEntryBuilder.NewDevice(
            Log[^1], 2, Identity, device, KeyringBlob.HashOf(Keyring), KdfParameters.New()));
        return new PublishKeysRequest
        {
            User = name,
            Ticket = ticket,
            KeyLogEntry = ByteString.CopyFrom(Log[^1].Bytes.Span),
            Keyring = ByteString.CopyFrom(Keyring),
        };
    }

    public Send Seal(string to, string text, bool doNotStore = false)
    {
        using var self = EncryptionPublicKey.TryImport(Encryption[0].PublicModulus.Span)!;
        using var other = EncryptionPublicKey.TryImport(Encryption[1].PublicModulus.Span)!;
        var message = new DirectMessage
        {
            From = name,
            FromEntry = Log[^1].Hash,
            FromEpoch = Log[^1].Epoch,
            To = to,
            ToEntry = default,
            Seq = 1,
            PreviousBody = default,
            TimeMs = 1,
            Content = new MessageContent.Text(text),
        };
        var made = DirectEnvelope.Seal(
            Cluster, EnvelopeId.New(), message, Device(Log[^1].Epoch), other, self, doNotStore);
        return new Send
        {
            Id = ByteString.CopyFrom(made.Id.ToBytes()),
            To = to,
            Envelope = ByteString.CopyFrom(made.Envelope),
        };
    }

    private DeviceKeys NewDevice()
    {
        var id = (UInt128)_devices.Count + 1;
        var device = new DeviceKeys(id, Encryption[_devices.Count % 2], DeviceKey.Create());
        _devices.Add(device);
        Keyring = RandomNumberGenerator.GetBytes(KeyringBytes);
        return device;
    }
}
