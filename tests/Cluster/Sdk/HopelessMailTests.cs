using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving: mail that names unknown keys has one share of a client's attention.</summary>
public sealed class HopelessMailTests : AliceAndBob
{
    private const int Many = 2_000;

    /// <summary>Three nodes a look-up, one look-up in each pause of 1, 2, 4 ... s: fewer than one a message by
    /// far.</summary>
    private const int CallsMax = 30;

    [Fact]
    public async Task Thousands_of_messages_of_unknown_keys_delay_no_friend_and_cost_a_few_look_ups()
    {
        using var identity = IdentityKey.Create();
        var device = DeviceKeys.Create();
        var entry = KeyLogEntryBuilder.Create(
            Cluster.Id, "mallory", 1_764_000_000_000, identity, device, default, KdfParameters.New());
        var log = KeyLog.Verify(Cluster.Id, "mallory", [entry.Bytes.ToArray()])!;
        Cluster.Accounts["mallory"] = new FakeAccount("secret", []) { Log = log };
        var bob = Cluster.Accounts["bob"];
        var frame = new NodeFrame();
        for (ulong i = 1; i <= Many; i++)
            frame.Pushes.Add(bob.Add(Hopeless(i, device, log, bob.Log!))!);
        Cluster.Sessions["bob"].Write(frame);
        Alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        while (Cluster.KeyLogCalls.GetValueOrDefault("mallory") < 4)
        {
            Alice.Client.Send("bob", "and again");
            Assert.Equal(["and again"], await Bob.ReadAsync(1));
        }

        Assert.InRange(Cluster.KeyLogCalls["mallory"], 4, CallsMax);
        Assert.Equal(Many, bob.Mailbox().Count(push => push.Envelope.Span.Length > 0 && IsMallorys(push)));
    }

    private bool IsMallorys(Push push) =>
        EnvelopeHeader.TryParse(push.Envelope.Span)!.IsBetween(Cluster.Id, "mallory", "bob");

    private Push Hopeless(ulong seq, DeviceKeys device, KeyLog mine, KeyLog bobs)
    {
        var id = EnvelopeId.New();
        var made = DirectEnvelope.Seal(
            Cluster.Id, id,
            new DirectMessage
            {
                From = "mallory",
                FromEntry = new Digest(seq, 7), // No log has it.
                FromEpoch = 1,
                To = "bob",
                ToEntry = bobs.Head.Hash,
                Seq = seq,
                PreviousBody = default,
                AckSeq = 0,
                AckBody = default,
                TimeMs = 1_764_000_000_000,
                Content = new MessageContent.Text("x"),
            },
            device.Signing, bobs.Head.EncryptionKey, mine.Head.EncryptionKey);
        return new Push
        {
            Id = ByteString.CopyFrom(id.ToBytes()),
            Envelope = ByteString.CopyFrom(made.Envelope),
        };
    }
}
