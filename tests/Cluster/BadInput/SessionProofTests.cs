using System.Security.Cryptography;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Crypto;
using ChordChat.Crypto.Sessions;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Right = ChordChat.Wire.ShownAnswer.Types.Right;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#session-proofs: a node that does not keep a mailbox gets to it for a user who is in
/// session there, and for nobody else.</summary>
public sealed class SessionProofTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_node_without_a_users_session_does_nothing_in_their_name()
    {
        await using var town = await Town.StartAsync(4);
        await town.SendAsync("hello");
        foreach (var name in town.KeepersOf(town.Mailbox))
        {
            await using var evil = await EvilNode.LinkAsync(town.Evil, town.Cluster[name]);
            foreach (var wish in town.Wishes(name))
                Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(wish)).BodyCase);
            Assert.True((await evil.AskAsync(Town.LeaseOf(evil))).RenewLeases.Leases.Single().Unproven);
            var delivered = await evil.AskAsync(town.Delivery());
            Assert.Equal(DeliverAnswer.Types.Result.Unproven, delivered.Deliver.Result);
        }

        await using var line = await ChatConnection.OpenAsync(town.Door("n1"), town.Bob);
        Assert.Single(await line.PushesAsync(1));
    }

    [Fact]
    public async Task A_node_without_a_users_session_changes_no_register_of_theirs_and_may_read_it()
    {
        await using var town = await Town.StartAsync(4);
        await using (var line = await ChatConnection.OpenAsync(town.Door("n1"), town.Bob))
        {
            await line.WriteAsync(new() { Circle = new() { Block = { "alice" } } });
            await line.NextAsync<Circle>();
        }

        foreach (var key in (RegisterKey[])[RegisterKey.Session("bob"), RegisterKey.Circle("bob")])
            foreach (var name in town.Cluster.Names.Where(name =>
                town.TileAt(name, key.Point).Contains(town.Cluster[name].Node.Self.Node)))
            {
                await using var evil = await EvilNode.LinkAsync(town.Evil, town.Cluster[name]);
                var at = town.TileAt(name, key.Point).At;
                var peeked = (await evil.AskAsync(new ReplicaRequest.Peek(at, key.Name))).Peeked;
                Assert.NotEqual(0, peeked.Value.Length);
                var ballot = evil.Ballot(at.Epoch, 9_000);
                ReplicaRequest[] wishes =
                [
                    new ReplicaRequest.Prepare(at, key.Name, ballot),
                    new ReplicaRequest.Accept(at, key.Name, ballot, town.Alice.Keyring),
                    new ReplicaRequest.Accept(at, key.Name, ballot, peeked.Value.Memory),
                ];
                foreach (var wish in wishes)
                    Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(wish)).BodyCase);
            }
    }

    [Fact]
    public async Task A_proof_is_for_one_user_one_node_and_a_session()
    {
        await using var town = await Town.StartAsync(4);
        await town.SendAsync("hello");
        var keeper = town.KeepersOf(town.Mailbox)[0];
        await using var evil = await EvilNode.LinkAsync(town.Evil, town.Cluster[keeper]);
        var scan = new ReplicaRequest.Scan(town.TileAt(keeper, town.Mailbox.Point).At, town.Mailbox.Name, 0, 10);
        var good = Shown(town.Bob, evil.Node);
        ShowSessionCall[] bad =
        [
            Shown(town.Bob, town.Cluster["n1"].Node.Self.Node), // For another node.
            Shown(town.Bob, evil.Node, ProofUse.Pass),
            Shown(town.Alice, evil.Node, name: "bob"),
            new(good) { Epoch = 2 },
            new(good) { Epoch = 0 },
            new(good) { User = "nobody" },
        ];
        foreach (var call in bad)
            Assert.Equal(Right.None, await ShowAsync(evil, call));
        var empty = new ShowSessionCall(good) { ClientNonce = ByteString.Empty };
        Assert.NotNull((await evil.AskAsync(new Call { ShowSession = empty })).Failed);
        Assert.Equal(Right.Change, await ShowAsync(evil, Shown(town.Alice, evil.Node)));
        Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(scan)).BodyCase);

        Assert.Equal(Right.Change, await ShowAsync(evil, good));
        Assert.Single((await evil.AskAsync(scan)).Scanned.Messages);
    }

    [Fact]
    public async Task Mail_is_between_the_two_whom_it_names_and_a_replaced_device_only_sends()
    {
        await using var town = await Town.StartAsync(4);
        await town.SendAsync("hello");
        await town.ReplaceDeviceAsync(town.Alice);
        var keeper = town.KeepersOf(town.Mailbox)[0];
        await using var evil = await EvilNode.LinkAsync(town.Evil, town.Cluster[keeper]);
        Assert.Equal(Right.Send, await ShowAsync(evil, Shown(town.Alice, evil.Node, epoch: 1)));
        var at = town.TileAt(keeper, town.Mailbox.Point).At;
        var (genuine, other) = (town.Alice.Seal("bob", "more"), town.Alice.Seal("carol", "not for bob"));

        Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(Add(other, "alice"))).BodyCase);
        Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(Add(genuine, "carol"))).BodyCase);
        Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(Add(genuine, ""))).BodyCase);
        Assert.Equal(Answer.BodyOneofCase.Added, (await evil.AskAsync(Add(genuine, "alice"))).BodyCase);
        var own = SetKey.Mailbox("alice");
        foreach (var name in town.KeepersOf(own))
        {
            await using var there = await EvilNode.LinkAsync(town.Evil, town.Cluster[name]);
            Assert.Equal(Right.Send, await ShowAsync(there, Shown(town.Alice, there.Node, epoch: 1)));
            var scan = new ReplicaRequest.Scan(town.TileAt(name, own.Point).At, own.Name, 0, 10);
            Assert.Equal(Answer.BodyOneofCase.Unproven, (await there.AskAsync(scan)).BodyCase);
        }

        Assert.Equal(Answer.BodyOneofCase.Unproven, (await evil.AskAsync(
            Add(town.Alice.Seal("bob", "x"), "alice") with { Id = new(7) })).BodyCase); // Another message's id.

        ReplicaRequest.Add Add(Send mail, string from) => new(
            at, town.Mailbox.Name, MessageId.FromBytes(mail.Id.Span), mail.Envelope.Memory, From: from);
    }

    /// <summary>The same rule from the side of the honest: who keeps nothing of its users serves them.</summary>
    [Fact]
    public async Task Nodes_that_keep_nothing_of_their_users_serve_them_all_the_same()
    {
        await using var town = await Town.StartAsync(5);
        var away = town.Cluster.Names.Except(town.KeepersOf(town.Mailbox)).ToList();
        await using (var line = await ChatConnection.OpenAsync(town.Door(away[0]), town.Bob))
        {
            await town.SendAsync("live", away[1]);
            var push = (await line.PushesAsync(1))[0];
            await line.AcknowledgeAsync(push.Id);
            await Condition.UntilAsync("the mailbox is empty", Patience, async () => await town.CountAsync() == 0);
        }

        await town.SendAsync("while bob is away", away[1]);
        await using (var line = await ChatConnection.OpenAsync(town.Door(away[0]), town.Bob))
        {
            await line.AcknowledgeAsync((await line.PushesAsync(1))[0].Id);
            await line.WriteAsync(new() { Circle = new() { Block = { "alice" } } });
            Assert.Equal(["alice"], (await line.NextAsync<Circle>()).Blocked);
            await Condition.UntilAsync("the mailbox is empty", Patience, async () => await town.CountAsync() == 0);
        }
    }

    private static async Task<Right> ShowAsync(EvilNode evil, ShowSessionCall call) =>
        (await evil.AskAsync(new Call { ShowSession = call })).Shown.Right;

    private static ShowSessionCall Shown(
        ChatUser user, NodeId node, ProofUse use = ProofUse.Session, uint epoch = 0, string? name = null)
    {
        var (mine, theirs) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32));
        epoch = epoch == 0 ? user.Log[^1].Epoch : epoch;
        var signature = SessionProof.Sign(
            user.Device(epoch), user.Cluster, node.ToBytes(), name ?? user.Name, epoch, mine, theirs, use);
        return new()
        {
            User = name ?? user.Name,
            Epoch = epoch,
            NodeNonce = ByteString.CopyFrom(mine),
            ClientNonce = ByteString.CopyFrom(theirs),
            Signature = ByteString.CopyFrom(signature),
        };
    }

    /// <summary>Nodes, Alice and Bob, and a node with a genuine certificate that keeps nothing.</summary>
    private sealed class Town : IAsyncDisposable
    {
        private readonly List<Grpc.Net.Client.GrpcChannel> _channels = [];

        public required NodeCluster Cluster { get; init; }
        public required Node.Identity.NodeIdentity Evil { get; init; }
        public ChatUser Alice { get; private set; } = null!;
        public ChatUser Bob { get; private set; } = null!;
        public SetKey Mailbox { get; } = SetKey.Mailbox("bob");

        public static async Task<Town> StartAsync(int nodes)
        {
            var cluster = await NodeCluster.StartAsync(nodes);
            var town = new Town { Cluster = cluster, Evil = cluster.Enrol("evil") };
            var door = town.Door("n1");
            var id = ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span);
            (town.Alice, town.Bob) = (new("alice", id), new("bob", id));
            await door.RegisterAsync(town.Alice.Registration());
            await door.RegisterAsync(town.Bob.Registration());
            return town;
        }

        public Wire.Chat.ChatClient Door(string node)
        {
            var channel = EvilNode.ChannelTo(Cluster.IdentityOf("n2"), Cluster.AddressOf(node));
            _channels.Add(channel);
            return new(channel);
        }

        public async Task SendAsync(string text, string through = "n1")
        {
            await using var line = await ChatConnection.OpenAsync(Door(through), Alice);
            var mail = Alice.Seal("bob", text);
            await line.SendAsync(mail);
            await line.NextAsync<SendOutcome>(outcome => outcome.State == SendOutcome.Types.State.Kept);
        }

        public async Task ReplaceDeviceAsync(ChatUser user)
        {
            var login = await Door("n1").LogInAsync(new() { User = user.Name, Secret = user.Secret });
            await Door("n1").PublishKeysAsync(user.Publication(login.Ticket));
        }

        public TileConfiguration TileAt(string node, RingId point) =>
            Cluster[node].Services.GetRequiredService<TileDirectory>().At(point);

        public List<string> KeepersOf(SetKey set) => [.. Cluster.Names.Where(
            name => TileAt(name, set.Point).Contains(Cluster[name].Node.Self.Node))];

        /// <summary>Messages that Bob's mailbox keeps, read by a node that keeps it.</summary>
        public async Task<int> CountAsync()
        {
            var count = 0;
            await foreach (var page in Cluster.Sets(KeepersOf(Mailbox)[0]).ScanAsync(Mailbox, CancellationToken.None))
                count += page.Count;
            return count;
        }

        public ReplicaRequest[] Wishes(string at)
        {
            var tile = TileAt(at, Mailbox.Point).At;
            var mail = Alice.Seal("bob", "from nobody");
            var id = MessageId.FromBytes(mail.Id.Span);
            return
            [
                new ReplicaRequest.Scan(tile, Mailbox.Name, 0, 10),
                new ReplicaRequest.Acknowledge(tile, Mailbox.Name, [id]),
                new ReplicaRequest.Add(tile, Mailbox.Name, id, mail.Envelope.Memory, From: "alice"),
                new ReplicaRequest.Add(tile, Mailbox.Name, id, mail.Envelope.Memory),
            ];
        }

        public static Call LeaseOf(EvilNode evil) => new()
        {
            RenewLeases = new()
            {
                Renewals =
                {
                    new LeaseRenewalCall
                    {
                        Lease = new() { User = "bob", Session = 9, Node = ByteString.CopyFrom(evil.Node.ToBytes()) },
                    },
                },
            },
        };

        public Call Delivery()
        {
            var mail = Alice.Seal("bob", "straight to the session");
            return new()
            {
                Deliver = new() { User = "bob", Session = 1, Id = mail.Id, Envelope = mail.Envelope, From = "alice" },
            };
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var channel in _channels)
                channel.Dispose();
            await Cluster.DisposeAsync();
        }
    }
}
