using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Crypto.KeyLogs;

/// <summary>
/// One entry of a user's key log, well-formed. Whether it may follow another says <see cref="KeyLog"/>.
/// </summary>
/// <remarks>docs/e2e.md, Key-log entry.</remarks>
public sealed class KeyLogEntry
{
    /// <summary>No entry is longer than this.</summary>
    public const int BytesMax = BodyBytesMax + 3 * 2 + 2 * SignatureBytes;

    internal const int SignatureBytes = RsaWire.ModulusBytes;
    internal const int NoDiffieHellmanBytes = DevicePublicKey.PointBytes;
    private const int BodyBytesMax = 1_280;
    private const ushort SpeaksV2 = 1;

    private readonly Lazy<EncryptionPublicKey> _encryptionKey;

    private KeyLogEntry(byte[] bytes, int bodyLength, Fields fields, DevicePublicKey deviceKey)
    {
        Bytes = bytes;
        Body = bytes.AsMemory(2, bodyLength);
        Hash = Digest.Of(Labels.KeyLogHash, Body.Span);
        F = fields;
        DeviceKey = deviceKey;
        _encryptionKey = new(() => EncryptionPublicKey.TryImport(F.Encryption)!);
    }

    /// <summary>The whole entry as it arrived.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>H("keylog-hash", body): names the entry in later entries, in messages and in pins.</summary>
    public Digest Hash { get; }

    public KeyLogEntryType Type => F.Type;
    public ClusterId Cluster => F.Cluster;
    public string User => F.User;

    /// <summary>0 for the first entry, then one more each.</summary>
    public ulong Seq => F.Seq;

    /// <summary>The hash of the entry before; zero in the first.</summary>
    public Digest Previous => F.Previous;

    /// <summary>Unix time in ms by its author's clock; never smaller than in the entry before.</summary>
    public ulong TimeMs => F.TimeMs;

    /// <summary>IK, 384 bytes.</summary>
    public ReadOnlyMemory<byte> Identity => F.Identity;

    /// <summary>The device epoch: 1 for the first, one more with every later entry.</summary>
    public uint Epoch => F.Epoch;

    public UInt128 DeviceId => F.DeviceId;

    /// <summary>EK of this epoch, imported on first use and kept.</summary>
    public EncryptionPublicKey EncryptionKey => _encryptionKey.Value;

    /// <summary>DSK of this epoch.</summary>
    public DevicePublicKey DeviceKey { get; }

    /// <summary>Bit 0: speaks envelope v2. Later entries may only add bits.</summary>
    public ushort Features => F.Features;

    /// <summary>H("ring-hash", keyring blob): which keyring belongs to this entry.</summary>
    public Digest RingHash => F.RingHash;

    public KdfParameters Kdf => F.Kdf;

    internal ReadOnlyMemory<byte> Body { get; }
    internal Fields F { get; }
    internal ReadOnlyMemory<byte> Signature => Bytes.Slice(2 + Body.Length + 2, SignatureBytes);
    internal ReadOnlyMemory<byte> OldSignature => Bytes[(2 + Body.Length + 2 + SignatureBytes + 2)..];

    /// <summary>Reads an entry without judging its signatures.</summary>
    /// <returns>Null for any damage.</returns>
    public static KeyLogEntry? TryParse(ReadOnlySpan<byte> bytes)
    {
        var reader = new Reader(bytes);
        var body = reader.B16(BodyBytesMax);
        reader.Require(reader.B16(SignatureBytes).Length == SignatureBytes);
        var old = reader.B16(SignatureBytes);
        if (!reader.AtEnd || Fields.TryRead(body) is not { } fields)
            return null;
        var oldBytes = fields.Type == KeyLogEntryType.RotateIdentity ? SignatureBytes : 0;
        return old.Length == oldBytes && DevicePublicKey.TryImport(fields.Device) is { } deviceKey
            ? new(bytes.ToArray(), body.Length, fields, deviceKey)
            : null;
    }

    /// <summary>The signed body, field by field.</summary>
    internal sealed record Fields
    {
        private static readonly byte[] NoDiffieHellman = new byte[NoDiffieHellmanBytes];

        public required KeyLogEntryType Type { get; init; }
        public required ClusterId Cluster { get; init; }
        public required string User { get; init; }
        public required ulong Seq { get; init; }
        public required Digest Previous { get; init; }
        public required ulong TimeMs { get; init; }
        public required byte[] Identity { get; init; }
        public required uint Epoch { get; init; }
        public required UInt128 DeviceId { get; init; }
        public required byte[] Encryption { get; init; }
        public required byte[] Device { get; init; }
        public byte[] DiffieHellman { get; init; } = NoDiffieHellman;
        public ushort Features { get; init; }
        public required Digest RingHash { get; init; }
        public required KdfParameters Kdf { get; init; }

        public byte[] Write() => new Writer(BodyBytesMax)
            .Raw("CCKL"u8).U8(1).U8((byte)Type).Cluster(Cluster).User(User).U64(Seq).Digest(Previous).U64(TimeMs)
            .Raw(Identity).U32(Epoch).U128(DeviceId).Raw(Encryption).Raw(Device).Raw(DiffieHellman).U16(Features)
            .Digest(RingHash).U32(Kdf.Iterations).U128(Kdf.Salt).Finish();

        public static Fields? TryRead(ReadOnlySpan<byte> body)
        {
            var reader = new Reader(body);
            reader.Expect("CCKL"u8);
            reader.Expect([1]);
            var fields = new Fields
            {
                Type = (KeyLogEntryType)reader.U8(),
                Cluster = reader.Cluster(),
                User = reader.User(),
                Seq = reader.U64(),
                Previous = reader.Digest(),
                TimeMs = reader.U64(),
                Identity = reader.Raw(RsaWire.ModulusBytes).ToArray(),
                Epoch = reader.U32(),
                DeviceId = reader.U128(),
                Encryption = reader.Raw(RsaWire.ModulusBytes).ToArray(),
                Device = reader.Raw(DevicePublicKey.PointBytes).ToArray(),
                DiffieHellman = reader.Raw(NoDiffieHellmanBytes).ToArray(),
                Features = reader.U16(),
                RingHash = reader.Digest(),
                Kdf = new(reader.U32(), reader.U128()),
            };
            return reader.AtEnd && fields.IsSound() ? fields : null;
        }

        private bool IsSound() =>
            Type is >= KeyLogEntryType.Create and <= KeyLogEntryType.NewDeviceAfterLoss
            && Seq <= Bounds.SeqMax && Epoch <= Bounds.SeqMax && TimeMs <= Bounds.TimeMsMax
            && RsaWire.IsModulus(Identity) && RsaWire.IsModulus(Encryption) && Kdf.AreAcceptable
            && HasRightDiffieHellman();

        private bool HasRightDiffieHellman()
        {
            if ((Features & SpeaksV2) == 0)
                return DiffieHellman.AsSpan().SequenceEqual(NoDiffieHellman);
            using var point = DevicePublicKey.TryImport(DiffieHellman);
            return point is not null;
        }
    }
}
