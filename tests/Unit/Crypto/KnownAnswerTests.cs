using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Passwords;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Known answers: version 1 gives these bytes and opens these boxes for ever.</summary>
public class KnownAnswerTests
{
    private static readonly System.Text.Json.JsonElement Known = TestUsers.Known;

    [Fact]
    public void A_password_gives_the_known_keys()
    {
        var (user, password) = (Text("pw", "user"), Text("pw", "password"));
        var iterations = Known.GetProperty("pw").GetProperty("iter").GetUInt32();
        var kdf = KdfParameters.FromBytes(iterations, Known.Hex("pw", "salt16"));

        var master = PasswordKeys.Master(TestUsers.Cluster, user, Password.TryNormalize(password), kdf);
        using var keys = PasswordKeys.Derive(TestUsers.Cluster, user, password, kdf)!;

        Assert.Equal(Known.Hex("pw", "salt"), PasswordKeys.SaltOf(TestUsers.Cluster, user, kdf).ToBytes());
        Assert.Equal(Known.Hex("pw", "mk"), master);
        Assert.Equal(Text("pw", "authSecret"), keys.AuthSecret);
        Assert.Equal(Known.Hex("pw", "kek"), keys.KeyringKey.ToArray());
    }

    [Fact]
    public void The_committing_seal_gives_the_known_box_and_opens_it()
    {
        byte[] key = Known.Hex("seal", "key"), salt = Known.Hex("seal", "salt"), box = Known.Hex("seal", "box");
        byte[] context = Known.Hex("seal", "ctx"), associated = Known.Hex("seal", "aad");
        var plain = Known.Hex("seal", "pt");

        Assert.Equal(box, CommittingSeal.Seal(key, salt, Labels.Keyring, context, associated, plain));
        Assert.Equal(plain, CommittingSeal.Open(key, salt, Labels.Keyring, context, associated, box));
    }

    [Fact]
    public void Names_of_keys_and_conversations_are_the_known_ones()
    {
        Assert.Equal(Known.Hex("conv_alice_bob"), Conversation.Between(TestUsers.Cluster, "bob", "alice").ToBytes());
        Assert.Equal(Known.Hex("ekIdB"), EncryptionPublicKey.TryImport(Known.Hex("keys", "ekB"))!.Id.ToBytes());
    }

    [Fact]
    public void Public_halves_are_recomputed_from_private_keys()
    {
        Assert.Equal(Known.Hex("keys", "ikA"), TestUsers.AliceIdentity.PublicModulus.ToArray());
        Assert.Equal(Known.Hex("keys", "ekB"), TestUsers.Bob1.Encryption.PublicModulus.ToArray());
        Assert.Equal(Known.Hex("keys", "dskA"), TestUsers.Alice1.Signing.PublicPoint.ToArray());
    }

    [Fact]
    public void The_safety_number_is_the_known_one_from_either_side()
    {
        byte[] alice = Known.Hex("keys", "ikA"), bob = Known.Hex("keys", "ikB");

        var number = SafetyNumber.Of(TestUsers.Cluster, "alice", alice, "bob", bob);
        var other = SafetyNumber.Of(TestUsers.Cluster, "bob", bob, "alice", alice);

        Assert.Equal(Text("safety"), number.Digits);
        Assert.Equal(number.Digits, other.Digits);
        Assert.Equal(number.Qr.ToArray(), other.Qr.ToArray());
    }

    [Fact]
    public void The_known_key_log_entry_verifies_and_is_written_the_same()
    {
        byte[] body = Known.Hex("kle", "body"), bytes = KnownEntry();

        var entry = KeyLog.VerifyNext(TestUsers.Cluster, "alice", previous: null, bytes)!;

        Assert.Equal(Known.Hex("kle", "hash"), entry.Hash.ToBytes());
        Assert.Equal(body, entry.F.Write());
    }

    [Fact]
    public void The_known_envelope_opens_verifies_and_is_written_the_same()
    {
        var envelope = Known.Hex("direct", "env");
        var header = EnvelopeHeader.TryParse(envelope)!;
        var prefix = envelope[..header.PrefixBytes];
        var box = envelope[(header.PrefixBytes + 4)..];
        byte[] body = Known.Hex("direct", "body"), cek = Known.Hex("direct", "cek");
        var prefixHash = DirectEnvelope.PrefixHashOf(prefix);

        var padded = CommittingSeal.Open(cek, header.Id.ToBytes(), Labels.Direct, prefixHash, prefix, box)!;
        var message = DirectMessage.TryRead(body)!;
        var signature = padded[(4 + body.Length)..(4 + body.Length + DevicePublicKey.SignatureBytes)];
        using var device = DevicePublicKey.TryImport(Known.Hex("keys", "dskA"))!;

        Assert.Equal(body, padded[4..(4 + body.Length)]);
        Assert.Equal(body, message.Write());
        Assert.True(DirectEnvelope.Verify(device, prefixHash, body, signature));
        Assert.Equal(envelope, DirectEnvelope.Assemble(prefix, prefixHash, header.Id, cek, body, signature));
    }

    [Fact]
    public void The_known_envelope_opens_with_the_recipients_key()
    {
        var alice = KeyLog.Verify(TestUsers.Cluster, "alice", [KnownEntry()])!;

        var opened = TestUsers.OpenAsBob(Known.Hex("direct", "env"))!.Verify(alice, TestUsers.BobLog)!;

        Assert.Equal("alice", opened.Message.From);
        var text = Assert.IsType<MessageContent.Text>(opened.Message.Content).Value;
        Assert.Equal(Known.Hex("direct", "body")[^11..], Encoding.UTF8.GetBytes(text));
        Assert.True(opened.IsWrongKeyForMe); // It names no entry of Bob's log: its kleTo is zero.
    }

    internal static byte[] KnownEntry() => new Writer()
        .B16(Known.Hex("kle", "body")).B16(Known.Hex("kle", "sigIk")).B16([]).Finish();

    private static string Text(params string[] path) =>
        path.Aggregate(Known, (element, name) => element.GetProperty(name)).GetString()!;
}
