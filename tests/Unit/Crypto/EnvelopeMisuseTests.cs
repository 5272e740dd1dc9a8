using ChordChat.Crypto;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Misuse: what a malicious node, contact or stranger tries with envelopes.</summary>
public class EnvelopeMisuseTests
{
    private const int FlagsAt = 69;
    private const int CountAt = 70;
    private const int WrapsAt = 71;
    private const int WrapBytes = 416;

    private static readonly byte[] Envelope = Seal(Hello()).Envelope;

    [Fact]
    public void A_bit_flipped_at_any_byte_is_refused()
    {
        // Bob's wrap stands first. Outside it the unwrapped key is the same, so RSA need not run a thousand times.
        var cek = UnwrapAsBob(Envelope);
        foreach (var (at, damaged) in Damage.BitFlips(Envelope).Index())
        {
            var inBobsWrap = at is >= WrapsAt and < WrapsAt + WrapBytes;
            Assert.Null(inBobsWrap ? OpenAsBob(damaged) : OpenWithout(damaged, cek));
        }

        Assert.NotNull(OpenWithout(Envelope, cek));
    }

    [Fact]
    public void A_truncation_at_any_length_and_a_trailing_byte_are_refused()
    {
        Assert.All(Damage.Truncations(Envelope), damaged => Assert.Null(OpenAsBob(damaged)));
        Assert.Null(OpenAsBob([.. Envelope, 0]));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(4, 2)]
    [InlineData(0, (byte)'X')]
    [InlineData(FlagsAt, 2)]
    [InlineData(FlagsAt, 0x80)]
    [InlineData(CountAt, 0)]
    [InlineData(CountAt, 1)]
    [InlineData(CountAt, 3)]
    [InlineData(CountAt, 255)]
    public void Unknown_magics_versions_flags_and_counts_are_refused_without_a_key(int at, byte value)
    {
        byte[] damaged = [.. Envelope];
        damaged[at] = value;

        Assert.Null(EnvelopeHeader.TryParse(damaged));
    }

    [Fact]
    public void A_size_that_is_no_bucket_is_refused_without_a_key()
    {
        var prefix = Envelope[..(WrapsAt + 2 * WrapBytes)];

        foreach (var size in new[] { 0, 255, 257, 384, 65_537, 131_072 })
        {
            var odd = new Writer().Raw(prefix).B32(new byte[size + CommittingSeal.OverheadBytes]).Finish();
            Assert.Null(EnvelopeHeader.TryParse(odd));
        }
    }

    [Fact]
    public void A_key_named_twice_is_refused()
    {
        byte[] twice = [.. Envelope];
        twice.AsSpan(WrapsAt, WrapBytes).CopyTo(twice.AsSpan(WrapsAt + WrapBytes));

        Assert.Null(EnvelopeHeader.TryParse(twice));
    }

    [Fact]
    public void Swapped_recipients_are_refused()
    {
        byte[] swapped = [.. Envelope];
        Envelope.AsSpan(WrapsAt, WrapBytes).CopyTo(swapped.AsSpan(WrapsAt + WrapBytes));
        Envelope.AsSpan(WrapsAt + WrapBytes, WrapBytes).CopyTo(swapped.AsSpan(WrapsAt));

        Assert.NotNull(EnvelopeHeader.TryParse(swapped));
        Assert.Null(OpenAsBob(swapped));
    }

    [Fact]
    public void A_wrap_moved_to_another_envelope_is_refused()
    {
        byte[] moved = [.. Seal(Hello("another")).Envelope];
        Envelope.AsSpan(WrapsAt, WrapBytes).CopyTo(moved.AsSpan(WrapsAt));

        Assert.Null(OpenAsBob(moved));
    }

    [Fact]
    public void A_key_wrapped_for_another_purpose_is_refused()
    {
        var forged = Forge(Hello(), Alice1.Signing, purpose: 2);

        Assert.NotNull(OpenAsBob(Forge(Hello(), Alice1.Signing)));
        Assert.Null(OpenAsBob(forged));
    }

    [Fact]
    public void An_envelope_of_another_cluster_is_refused()
    {
        var other = DirectEnvelope.Seal(
            OtherCluster, EnvelopeId.New(), Hello(), Alice1.Signing, BobEntry.EncryptionKey, AliceEntry.EncryptionKey);

        Assert.Null(OpenAsBob(other.Envelope));
    }

    [Fact]
    public void A_message_that_is_not_for_me_is_refused()
    {
        Assert.Null(OpenAs("carol", Bob1, Envelope));
        Assert.Null(OpenAs("bob", Bob2, Envelope));
        Assert.Null(OpenAsBob(Forge(Hello() with { To = "carol" }, Alice1.Signing)));
    }

    [Fact]
    public void A_conversation_that_is_not_that_of_the_two_names_is_refused()
    {
        var elsewhere = Conversation.Between(Cluster, "bob", "carol");

        Assert.Null(OpenAsBob(Forge(Hello(), Alice1.Signing, conversation: elsewhere)));
    }

    [Fact]
    public void A_signature_stripped_and_replaced_is_refused()
    {
        // Bob can open what Alice wrote, but cannot pass it off as his, nor hers under his key.
        var asHers = Forge(Hello(), Bob1.Signing);
        var asHis = Forge(Hello() with { From = "bob", To = "alice", FromEntry = BobEntry.Hash }, Alice1.Signing);

        Assert.Null(OpenAsBob(asHers)!.Verify(AliceLog, BobLog));
        Assert.Null(OpenAsBob(asHis)!.Verify(BobLog, BobLog));
    }

    [Fact]
    public void An_inner_message_forwarded_in_another_envelope_is_refused()
    {
        // Bob takes Alice's signed body and seals it again, for himself or anybody: the prefix it covers is gone.
        var (body, signature) = InnerOf(Envelope);

        var forwarded = Forge(body, signature);

        Assert.Null(OpenAsBob(forwarded)!.Verify(AliceLog, BobLog));
    }

    [Fact]
    public void My_own_message_reflected_to_me_is_mine_and_never_my_peers()
    {
        var reflected = OpenAs("alice", Alice1, Envelope)!;

        Assert.Null(reflected.Verify(BobLog, AliceLog));
        Assert.True(reflected.Verify(AliceLog, AliceLog)!.IsOwn);
    }

    [Fact]
    public void A_log_entry_that_is_not_the_senders_or_of_another_epoch_is_refused()
    {
        var foreign = Forge(Hello() with { FromEntry = BobEntry.Hash }, Alice1.Signing);
        var later = Forge(Hello() with { FromEpoch = 2 }, Alice1.Signing);

        Assert.Null(OpenAsBob(foreign)!.Verify(AliceLog, BobLog));
        Assert.Null(OpenAsBob(later)!.Verify(AliceLog, BobLog));
        Assert.Null(OpenAsBob(Envelope)!.Verify(BobLog, BobLog));
        Assert.Null(OpenAsBob(Envelope)!.Verify(AliceLog, AliceLog));
    }

    [Fact]
    public void A_twin_of_a_signature_is_no_new_message()
    {
        // (r, n - s) verifies as well: nothing that names a message may contain the signature.
        var (body, signature) = InnerOf(Envelope);
        var twin = (byte[])[.. signature[..32], .. Negated(signature[32..])];
        var header = EnvelopeHeader.TryParse(Envelope)!;
        var prefixHash = DirectEnvelope.PrefixHashOf(Envelope.AsSpan(0, header.PrefixBytes));

        Assert.NotEqual(signature, twin);
        Assert.True(DirectEnvelope.Verify(AliceEntry.DeviceKey, prefixHash, body, twin));
    }

    [Fact]
    public void A_larger_bucket_than_needed_is_refused()
    {
        // A larger bucket than the message needs would be a second form of the same message.
        var (cek, prefix, prefixHash, id) = OuterParts();
        var body = Hello().Write();
        var signature = Alice1.Signing.Sign(Labels.SignDirect, [.. prefixHash, .. body]);
        var plain = new Writer().B32(body).Raw(signature).Finish();
        var padded = Padding.Pad(plain, 1_024);
        var box = CommittingSeal.Seal(cek, id.ToBytes(), Labels.Direct, prefixHash, prefix, padded);

        Assert.Null(OpenAsBob(new Writer().Raw(prefix).B32(box).Finish()));
    }

    private static byte[] Forge(DirectMessage message, DeviceKey signer, byte purpose = 1, Digest? conversation = null)
    {
        var (cek, prefix, prefixHash, id) = OuterParts(purpose, conversation);
        var body = message.Write();
        var signature = signer.Sign(Labels.SignDirect, [.. prefixHash, .. body]);
        return DirectEnvelope.Assemble(prefix, prefixHash, id, cek, body, signature);
    }

    private static byte[] Forge(byte[] body, byte[] signature)
    {
        var (cek, prefix, prefixHash, id) = OuterParts();
        return DirectEnvelope.Assemble(prefix, prefixHash, id, cek, body, signature);
    }

    private static (byte[] Cek, byte[] Prefix, byte[] PrefixHash, EnvelopeId Id) OuterParts(
        byte purpose = 1, Digest? conversation = null)
    {
        byte[] cek = [.. Enumerable.Repeat((byte)9, 32)];
        var (id, key) = (EnvelopeId.New(), BobEntry.EncryptionKey);
        var prefix = EnvelopeHeader.Write(
            Cluster, conversation ?? Conversation.Between(Cluster, "alice", "bob"), id, doNotStore: false,
            [(key.Id, key.Wrap((WrapPurpose)purpose, cek))]);
        return (cek, prefix, DirectEnvelope.PrefixHashOf(prefix), id);
    }

    private static (byte[] Body, byte[] Signature) InnerOf(byte[] envelope)
    {
        var (header, cek) = (EnvelopeHeader.TryParse(envelope)!, UnwrapAsBob(envelope));
        var prefix = envelope.AsSpan(0, header.PrefixBytes);
        var padded = CommittingSeal.Open(
            cek, header.Id.ToBytes(), Labels.Direct, DirectEnvelope.PrefixHashOf(prefix), prefix,
            envelope.AsSpan(header.PrefixBytes + 4))!;
        var reader = new Reader(padded);
        return (reader.B32(1_000).ToArray(), reader.Raw(64).ToArray());
    }

    private static byte[] UnwrapAsBob(byte[] envelope)
    {
        var cek = new byte[32];
        var wrap = EnvelopeHeader.TryParse(envelope)!.WrapOf(0, envelope);
        Assert.True(Bob1.Encryption.TryUnwrap(WrapPurpose.DirectMessage, wrap, cek));
        return cek;
    }

    private static UnverifiedMessage? OpenWithout(byte[] envelope, byte[] cek) =>
        EnvelopeHeader.TryParse(envelope) is { } header && header.Cluster == Cluster
            ? DirectEnvelope.OpenBox(header, envelope, cek, "bob")
            : null;

    private static byte[] Negated(byte[] s)
    {
        var order = new System.Numerics.BigInteger(
            Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
            isUnsigned: true, isBigEndian: true);
        var negated = (order - new System.Numerics.BigInteger(s, isUnsigned: true, isBigEndian: true))
            .ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - negated.Length], .. negated];
    }
}
