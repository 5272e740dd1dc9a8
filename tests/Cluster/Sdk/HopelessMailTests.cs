using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
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
        var (device, log) = Mallory();
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

    [Fact]
    public async Task What_one_node_does_not_show_while_the_other_cannot_answer_drops_no_mail()
    {
        var (device, log) = Mallory();
        await using var n2 = await Cluster.AddNodeAsync("n2");
        var carol = await (await Person.RegisterAsync("carol", N1)).OnlineAsync();
        Cluster.ShowKeys = (node, user) => node == n2 && user == "mallory"
            ? throw new RpcException(new Status(StatusCode.Unavailable, "1 of the 2 nodes that are needed answered"))
            : null;
        var account = Cluster.Accounts["carol"];
        Cluster.Sessions["carol"].Write(
            new NodeFrame { Pushes = { account.Add(Hopeless(1, device, log, account.Log!, "carol"))! } });

        Assert.Equal(0, await TriesAfterAsync(carol, calls: 8));

        Cluster.ShowKeys = (_, _) => null;
        carol = await (await Person.LogInAsync("carol", carol.Folder, N1)).OnlineAsync();
        Assert.NotEqual(0, await TriesAfterAsync(carol, calls: 8));
    }

    /// <summary>Ends the client, too.</summary>
    private async Task<long> TriesAfterAsync(Person person, int calls)
    {
        var until = Cluster.KeyLogCalls.GetValueOrDefault("mallory") + calls;
        await Condition.UntilAsync(
            "mallory is looked up", Person.Patience,
            () => Task.FromResult(Cluster.KeyLogCalls.GetValueOrDefault("mallory") >= until));
        await person.DisposeAsync();
        using var store = LocalStore.Open(Path.Combine(person.Folder, "profile.db"));
        return store.Read(db => db.Scalar<long>("SELECT max(tries) FROM unjudged"));
    }

    /// <summary>A node that lies may push what is no message, as long as a frame may be.</summary>
    [Fact]
    public async Task What_has_no_id_of_a_message_takes_no_room_on_the_clients_disk()
    {
        var frame = new NodeFrame();
        foreach (var length in new[] { 0, 1, 15, 17, 1 << 20, 1 << 20 })
            frame.Pushes.Add(new Push { Id = ByteString.CopyFrom(new byte[length]) });
        Cluster.Sessions["bob"].Write(frame);
        Cluster.Sessions["bob"].Push(new Push { Id = ByteString.CopyFrom(new byte[16]) });
        using var store = LocalStore.Open(Path.Combine(Bob.Folder, "profile.db"));
        await Condition.UntilAsync(
            "what has an id of a message is doubted", Person.Patience,
            () => Task.FromResult(store.Read(db => db.Scalar<long>("SELECT count(*) FROM doubted")) > 0));
        Assert.Equal(32, store.Read(db => db.Scalar<long>("SELECT max(length(id)) FROM doubted")));
        Assert.Equal(1, store.Read(db => db.Scalar<long>("SELECT count(*) FROM doubted")));
    }

    private (DeviceKeys Device, KeyLog Log) Mallory()
    {
        using var identity = Cluster.Keys.Identity();
        var device = Cluster.Keys.Device();
        var entry = KeyLogEntryBuilder.Create(
            Cluster.Id, "mallory", 1_764_000_000_000, identity, device, default, KdfParameters.New());
        var log = KeyLog.Verify(Cluster.Id, "mallory", [entry.Bytes.ToArray()])!;
        Cluster.Accounts["mallory"] = new FakeAccount("secret", []) { Log = log };
        return (device, log);
    }

    private bool IsMallorys(Push push) =>
        EnvelopeHeader.TryParse(push.Envelope.Span)!.IsBetween(Cluster.Id, "mallory", "bob");

    private Push Hopeless(ulong seq, DeviceKeys device, KeyLog mine, KeyLog theirs, string to = "bob")
    {
        var id = EnvelopeId.New();
        var made = DirectEnvelope.Seal(
            Cluster.Id, id,
            new DirectMessage
            {
                From = "mallory",
                FromEntry = new Digest(seq, 7), // No log has it.
                FromEpoch = 1,
                To = to,
                ToEntry = theirs.Head.Hash,
                Seq = seq,
                PreviousBody = default,
                AckSeq = 0,
                AckBody = default,
                TimeMs = 1_764_000_000_000,
                Content = new MessageContent.Text("x"),
            },
            device.Signing, theirs.Head.EncryptionKey, mine.Head.EncryptionKey);
        return new Push
        {
            Id = ByteString.CopyFrom(id.ToBytes()),
            Envelope = ByteString.CopyFrom(made.Envelope),
        };
    }
}
