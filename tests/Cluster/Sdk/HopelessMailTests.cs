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
public sealed class HopelessMailTests : IAsyncLifetime, IDisposable
{
    private const int Many = 2_000;

    /// <summary>Three nodes a look-up, one look-up in each pause of 1, 2, 4 ... s: fewer than one a message by
    /// far.</summary>
    private const int CallsMax = 30;

    private readonly FakeCluster _cluster = new();
    private FakeNode _n1 = null!;
    private Person _alice = null!;
    private Person _bob = null!;

    public async Task InitializeAsync()
    {
        _n1 = await _cluster.AddNodeAsync("n1");
        _alice = await (await Person.RegisterAsync("alice", _n1)).OnlineAsync();
        _bob = await (await Person.RegisterAsync("bob", _n1)).OnlineAsync();
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
        await _n1.DisposeAsync();
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Thousands_of_messages_of_unknown_keys_delay_no_friend_and_cost_a_few_look_ups()
    {
        using var identity = IdentityKey.Create();
        var device = DeviceKeys.Create();
        var entry = KeyLogEntryBuilder.Create(
            _cluster.Id, "mallory", 1_764_000_000_000, identity, device, default, KdfParameters.New());
        var log = KeyLog.Verify(_cluster.Id, "mallory", [entry.Bytes.ToArray()])!;
        _cluster.Accounts["mallory"] = new FakeAccount("secret", []) { Log = log };
        var bob = _cluster.Accounts["bob"];
        var frame = new NodeFrame();
        for (ulong i = 1; i <= Many; i++)
            frame.Pushes.Add(bob.Add(Hopeless(i, device, log, bob.Log!))!);
        _cluster.Sessions["bob"].Write(frame);
        _alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await _bob.ReadAsync(1));
        while (_cluster.KeyLogCalls.GetValueOrDefault("mallory") < 4)
        {
            _alice.Client.Send("bob", "and again");
            Assert.Equal(["and again"], await _bob.ReadAsync(1));
        }

        Assert.InRange(_cluster.KeyLogCalls["mallory"], 4, CallsMax);
        Assert.Equal(Many, bob.Mailbox().Count(push => push.Envelope.Span.Length > 0 && IsMallorys(push)));
    }

    private bool IsMallorys(Push push) =>
        EnvelopeHeader.TryParse(push.Envelope.Span)!.IsBetween(_cluster.Id, "mallory", "bob");

    private Push Hopeless(ulong seq, DeviceKeys device, KeyLog mine, KeyLog bobs)
    {
        var id = EnvelopeId.New();
        var made = DirectEnvelope.Seal(
            _cluster.Id, id,
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
