using System.Text.Json;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>Alice and Bob of the known answers, with keys that are made once and for tests only.</summary>
internal static class TestUsers
{
    public const ulong Now = 1_764_000_000_000;

    public static readonly JsonElement Known = TestFiles.KnownAnswers("v1.json");
    public static readonly ClusterId Cluster = ClusterId.FromBytes(Known.Hex("cluster"));
    public static readonly ClusterId OtherCluster = new(Cluster.Value + 1);
    public static readonly KdfParameters Kdf = new(KdfParameters.IterationsMin, 77);

    private static readonly JsonElement MoreKeys = TestFiles.KnownAnswers("test-keys.json");

    public static readonly IdentityKey AliceIdentity = IdentityKey.TryImport(Known.Hex("keys", "ikA_pkcs8"))!;
    public static readonly IdentityKey BobIdentity = IdentityKey.TryImport(MoreKeys.Hex("bobIdentity"))!;
    public static readonly DeviceKeys Alice1 = Device(1, MoreKeys.Hex("aliceDevice1"), Known.Hex("keys", "dskA_pkcs8"));
    public static readonly DeviceKeys Alice2 = Device(2, MoreKeys.Hex("aliceDevice2"), MoreKeys.Hex("aliceSigning2"));
    public static readonly DeviceKeys Bob1 = Device(3, Known.Hex("keys", "ekB_pkcs8"), MoreKeys.Hex("bobSigning1"));
    public static readonly DeviceKeys Bob2 = Device(4, MoreKeys.Hex("bobDevice2"), MoreKeys.Hex("bobSigning2"));

    public static readonly KeyLogEntry AliceEntry =
        KeyLogEntryBuilder.Create(Cluster, "alice", Now, AliceIdentity, Alice1, default, Kdf);

    public static readonly KeyLogEntry BobEntry =
        KeyLogEntryBuilder.Create(Cluster, "bob", Now, BobIdentity, Bob1, default, Kdf);

    public static readonly KeyLog AliceLog = LogOf(AliceEntry);
    public static readonly KeyLog BobLog = LogOf(BobEntry);

    public static KeyLog LogOf(params KeyLogEntry[] entries) =>
        KeyLog.Verify(entries[0].Cluster, entries[0].User, entries.Select(e => e.Bytes.ToArray()))!;

    /// <summary>Alice's first message to Bob.</summary>
    public static DirectMessage Hello(string text = "hello") => new()
    {
        From = "alice",
        FromEntry = AliceEntry.Hash,
        FromEpoch = 1,
        To = "bob",
        ToEntry = BobEntry.Hash,
        Seq = 1,
        PreviousBody = default,
        TimeMs = Now,
        Content = new MessageContent.Text(text),
    };

    public static SealedMessage Seal(DirectMessage message) => DirectEnvelope.Seal(
        Cluster, EnvelopeId.New(), message, Alice1.Signing, BobEntry.EncryptionKey, AliceEntry.EncryptionKey);

    public static UnverifiedMessage? OpenAsBob(byte[] envelope) => OpenAs("bob", Bob1, envelope);

    public static UnverifiedMessage? OpenAs(string me, DeviceKeys device, byte[] envelope) =>
        DirectEnvelope.Open(envelope, Cluster, me, id => id == device.Encryption.Id ? device.Encryption : null);

    private static DeviceKeys Device(UInt128 id, byte[] encryption, byte[] signing) =>
        new(id, EncryptionKey.TryImport(encryption)!, DeviceKey.TryImport(signing)!);
}
