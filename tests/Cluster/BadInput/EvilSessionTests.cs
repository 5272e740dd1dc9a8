using ChordChat.Crypto;
using ChordChat.Crypto.Sessions;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#what-a-member-may-ask: what one lying node cannot do to sessions at others.</summary>
public sealed class EvilSessionTests
{
    [Fact]
    public async Task A_session_ends_by_an_entry_that_its_user_signed_and_by_no_other()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        using var channel = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf("n1"));
        var door = new Wire.Chat.ChatClient(channel);
        var id = ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span);
        var (anna, mallory) = (new ChatUser("anna", id), new ChatUser("mallory", id));
        await door.RegisterAsync(anna.Registration());
        await door.RegisterAsync(mallory.Registration());
        var login = await door.LogInAsync(new() { User = "mallory", Secret = mallory.Secret });
        mallory.Publication(login.Ticket);
        await using var line = await ChatConnection.OpenAsync(door, anna);
        await using var evil = await EvilNode.LinkAsync(cluster.Enrol("evil"), cluster["n1"]);
        foreach (var entry in (ReadOnlyMemory<byte>[])[default, EvilNode.Bytes(900), anna.Log[0].Bytes,
            mallory.Log[^1].Bytes])
            await evil.AskAsync(EndOf(anna, line, entry));

        // It is still there: it answers a heartbeat that is sent after all of that.
        await line.WriteAsync(new() { Heartbeat = true });
        await line.NextAsync<string>(text => text == "heartbeat");

        login = await door.LogInAsync(new() { User = "anna", Secret = anna.Secret });
        anna.Publication(login.Ticket);
        await evil.AskAsync(EndOf(anna, line, anna.Log[^1].Bytes));
        Assert.Equal(SessionEnded.Types.Reason.TakenOver, (await line.NextAsync<SessionEnded>()).Reason);
    }

    /// <summary>docs/protocol.md#newer-session, over real links: the older one's node fetches the proof.</summary>
    [Fact]
    public async Task A_newer_session_of_the_same_device_is_proved_by_its_hello()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        using var first = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf("n1"));
        using var second = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf("n3"));
        var door = new Wire.Chat.ChatClient(first);
        var anna = new ChatUser("anna", ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span));
        await door.RegisterAsync(anna.Registration());
        await using var older = await ChatConnection.OpenAsync(door, anna);
        await using var newer = await ChatConnection.OpenAsync(new Wire.Chat.ChatClient(second), anna);

        var ended = await older.NextAsync<SessionEnded>();

        Assert.Equal(SessionEnded.Types.Reason.SameDevice, ended.Reason);
        Assert.Equal(cluster["n3"].Node.Self.Node.ToBytes(), ended.Newer.NodeId.ToByteArray());
        Assert.True(SessionProof.Verify(
            anna.Log[^1].DeviceKey, anna.Cluster, ended.Newer.NodeId.Span, "anna", 1, ended.Newer.NodeNonce.Span,
            ended.Newer.ClientNonce.Span, ended.Newer.Signature.Span));
        await newer.WriteAsync(new() { Heartbeat = true });
        await newer.NextAsync<string>(text => text == "heartbeat");
    }

    [Fact]
    public async Task Nobody_renews_or_ends_a_lease_of_another_node()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await using var evil = await EvilNode.LinkAsync(cluster.Enrol("evil"), cluster["n1"]);
        foreach (var ends in (bool[])[false, true])
        {
            var lease = new WireLease
            {
                User = "anna",
                Session = 9,
                Node = ByteString.CopyFrom(cluster["n2"].Node.Self.Node.ToBytes()),
                SinceMs = 1,
            };
            var call = new RenewLeasesCall { Renewals = { new LeaseRenewalCall { Lease = lease, Ends = ends } } };

            Assert.Equal(
                Answer.BodyOneofCase.Failed, (await evil.AskAsync(new Call { RenewLeases = call })).BodyCase);
        }

        Assert.Null((await evil.AskAsync(new Call { FindLease = new() { User = "anna" } })).FindLease.Lease);
    }

    private static Call EndOf(ChatUser user, ChatConnection line, ReadOnlyMemory<byte> entry) => new()
    {
        EndSession = new()
        {
            User = user.Name,
            Session = line.Welcome!.Session + 1,
            Entry = ByteString.CopyFrom(entry.Span),
        },
    };
}
