using ChordChat.Crypto.Formats;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Messages;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Direct envelope and Receiving: what honest people send each other.</summary>
public class DirectEnvelopeTests
{
    [Fact]
    public void The_recipient_reads_what_the_sender_wrote()
    {
        var message = Hello("Grüße 🙂") with { Seq = 7, PreviousBody = new(1, 2), AckSeq = 3, AckBody = new(4, 5) };
        var sealedMessage = Seal(message);

        var opened = OpenAsBob(sealedMessage.Envelope)!.Verify(AliceLog, BobLog)!;

        Assert.Equal(message, opened.Message);
        Assert.Equal((sealedMessage.Id, sealedMessage.BodyHash), (opened.Id, opened.BodyHash));
        Assert.Equal((false, false, false), (opened.IsOwn, opened.IsFromReplacedDevice, opened.IsWrongKeyForMe));
    }

    [Fact]
    public void The_sender_reads_their_own_copy()
    {
        var unverified = OpenAs("alice", Alice1, Seal(Hello()).Envelope)!;

        Assert.Equal(("alice", "bob"), (unverified.From, unverified.Peer));
        Assert.True(unverified.Verify(AliceLog, AliceLog)!.IsOwn);
    }

    [Fact]
    public void A_message_to_oneself_has_one_recipient()
    {
        var note = Hello() with { To = "alice", ToEntry = AliceEntry.Hash };
        var key = AliceEntry.EncryptionKey;

        var sealedMessage = DirectEnvelope.Seal(Cluster, EnvelopeId.New(), note, Alice1.Signing, key, key);

        Assert.Equal(key.Id, Assert.Single(EnvelopeHeader.TryParse(sealedMessage.Envelope)!.Recipients));
        Assert.True(OpenAs("alice", Alice1, sealedMessage.Envelope)!.Verify(AliceLog, AliceLog)!.IsOwn);
    }

    [Fact]
    public void A_node_reads_the_header_without_any_key()
    {
        var sealedMessage = Seal(Hello());

        var header = EnvelopeHeader.TryParse(sealedMessage.Envelope)!;

        Assert.Equal((Cluster, sealedMessage.Id, false), (header.Cluster, header.Id, header.DoNotStore));
        Assert.Equal([BobEntry.EncryptionKey.Id, AliceEntry.EncryptionKey.Id], header.Recipients.ToArray());
        Assert.True(header.IsBetween(Cluster, "bob", "alice"));
        Assert.False(header.IsBetween(Cluster, "bob", "carol"));
        Assert.False(header.IsBetween(OtherCluster, "bob", "alice"));
        Assert.False(header.IsBetween(Cluster, "bob", "Not A Name"));
    }

    [Fact]
    public void A_signal_says_that_it_is_not_to_be_stored()
    {
        var signal = DirectEnvelope.Seal(
            Cluster, EnvelopeId.New(), Hello(), Alice1.Signing, BobEntry.EncryptionKey, AliceEntry.EncryptionKey,
            doNotStore: true);

        Assert.True(EnvelopeHeader.TryParse(signal.Envelope)!.DoNotStore);
    }

    [Theory]
    [InlineData(1, 256)]
    [InlineData(100, 512)]
    [InlineData(1_024, 2_048)]
    [InlineData(MessageContent.BytesMax, 65_536)]
    public void Sizes_are_powers_of_two(int length, int bucket)
    {
        var envelope = Seal(Hello(new('x', length))).Envelope;

        Assert.Equal(71 + 2 * 416 + 4 + bucket + CommittingSeal.OverheadBytes, envelope.Length);
        Assert.NotNull(OpenAsBob(envelope)!.Verify(AliceLog, BobLog));
    }

    [Fact]
    public void A_message_that_is_empty_too_long_or_ill_formed_cannot_be_sealed()
    {
        Assert.ThrowsAny<ArgumentException>(() => Seal(Hello("")));
        Assert.ThrowsAny<ArgumentException>(() => Seal(Hello(new('x', MessageContent.BytesMax + 1))));
        Assert.ThrowsAny<ArgumentException>(() => Seal(Hello("\uD800")));
        Assert.ThrowsAny<ArgumentException>(() => Seal(Hello() with { To = "Bob" }));
    }

    [Fact]
    public void Mail_for_an_older_epoch_still_opens_and_an_older_sender_is_marked()
    {
        var second = KeyLogEntryBuilder.NewDevice(AliceEntry, Now, AliceIdentity, Alice2, default, Kdf);

        var opened = OpenAsBob(Seal(Hello()).Envelope)!.Verify(LogOf(AliceEntry, second), BobLog)!;

        Assert.True(opened.IsFromReplacedDevice);
    }

    [Fact]
    public void A_sender_who_was_shown_a_wrong_key_for_me_is_noticed()
    {
        var opened = OpenAsBob(Seal(Hello() with { ToEntry = new(6, 6) }).Envelope)!.Verify(AliceLog, BobLog)!;

        Assert.True(opened.IsWrongKeyForMe);
    }

    [Fact]
    public void A_receipt_names_its_messages()
    {
        var receipt = new MessageContent.Receipt(ReceiptKind.Read, [EnvelopeId.New(), EnvelopeId.New()]);

        var opened = OpenAsBob(Seal(Hello() with { Content = receipt }).Envelope)!.Verify(AliceLog, BobLog)!;

        Assert.Equal(receipt, opened.Message.Content);
    }

    [Fact]
    public void Two_seals_of_one_message_have_nothing_in_common()
    {
        var (one, two) = (Seal(Hello()).Envelope, Seal(Hello()).Envelope);

        Assert.NotEqual(one[^304..], two[^304..]);
        Assert.NotEqual(one[103..487], two[103..487]);
    }
}
