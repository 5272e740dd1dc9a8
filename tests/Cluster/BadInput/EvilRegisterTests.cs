using System.Text;
using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Crypto;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#value-rules: what one lying node, member of the tile or not, cannot write into the
/// registers of the others.</summary>
public sealed class EvilRegisterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly RegisterKey Anna = RegisterKey.Account("anna");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_node_writes_over_what_belongs_to_a_user(bool isMember)
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        var evil = isMember ? cluster.IdentityOf("n3") : cluster.Enrol("mallory");
        using var channel = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf("n1"));
        var door = new Wire.Chat.ChatClient(channel);
        var anna = new ChatUser("anna", ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span));
        await door.RegisterAsync(anna.Registration());
        var first = await ReadAsync(cluster, Anna);
        await NewDeviceAsync(door, anna);
        await using (var line = await ChatConnection.OpenAsync(door, anna))
            Assert.NotNull(line.Welcome);
        var wishes = Wishes(anna, first, await ReadAsync(cluster, Anna));
        var before = await RowsAsync(cluster, wishes);

        foreach (var name in cluster.Names)
            await WriteAsync(evil, cluster, name, wishes);

        Assert.Equal(before, await RowsAsync(cluster, wishes));
        await NewDeviceAsync(door, anna);
        await using var again = await ChatConnection.OpenAsync(door, anna);
        Assert.NotNull(again.Welcome);
    }

    /// <summary>It writes what it likes on its own disk, under a ballot larger than all, and waits to be asked for
    /// it.</summary>
    [Fact]
    public async Task What_stands_on_a_liars_disk_goes_to_nobody_by_repair_and_holds_up_nobody()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        using var channel = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf("n1"));
        var door = new Wire.Chat.ChatClient(channel);
        var anna = new ChatUser("anna", ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span));
        await door.RegisterAsync(anna.Registration());
        var own = await ReadAsync(cluster, Anna);
        var theirs = new Impostor(anna.Cluster, "anna", 2).Account(Account.FromBytes(own), 1);
        var tile = TileOf(cluster, "n1", Anna);
        var witness = Enumerable.Range(0, 100_000).Select(i => FreeRows.Register($"{i}")).First(
            key => TileOf(cluster, "n1", key) == tile);

        var ballot = new Ballot(tile.Epoch, 1000, cluster["n3"].Node.Self.Node, 1);
        await PlantAsync(
            cluster, "n3", tile, new(Anna.Name, ballot, theirs), new(witness.Name, ballot, "here"u8.ToArray()));
        Assert.Equal(theirs.ToArray(), (await RowAsync(cluster, "n3", Anna.Name)).Value.ToArray());
        await cluster.StopAsync("n3");
        await cluster.StartAsync("n3"); // Its copies are compared anew.

        foreach (var name in (string[])["n1", "n2"])
            await Condition.UntilAsync($"{name} has got what follows", Patience, async () =>
                Encoding.ASCII.GetString((await RowAsync(cluster, name, witness.Name)).Value.Span) == "here");
        foreach (var name in (string[])["n1", "n2"])
            Assert.Equal(own.ToArray(), (await RowAsync(cluster, name, Anna.Name)).Value.ToArray());
        await cluster.SettleAsync();
        foreach (var name in cluster.Names)
            Assert.Equal(own.ToArray(), (await ReadAsync(cluster, Anna, name)).ToArray());
        await NewDeviceAsync(door, anna);
        await using var line = await ChatConnection.OpenAsync(door, anna);
        Assert.NotNull(line.Welcome);
    }

    /// <summary>docs/protocol.md#rounds-apart: no two copies would take one ballot.</summary>
    [Fact]
    public async Task Ballots_that_differ_by_steps_keep_no_name_from_anybody()
    {
        const ulong step = 1UL << 32;
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        foreach (var name in cluster.Names.ToArray())
        {
            var bob = RegisterKey.Account("bob" + name);
            var at = TileOf(cluster, name, bob).At;
            foreach (var (victim, steps) in cluster.Names.Zip([1UL, 3UL, 5UL]))
            {
                await using var evil = await EvilNode.LinkAsync(outsider, cluster[victim]);
                for (var taken = 1UL; taken <= steps; taken++)
                    Assert.Equal(
                        Answer.BodyOneofCase.Promised,
                        (await evil.AskAsync(
                            new ReplicaRequest.Prepare(at, bob.Name, evil.Ballot(at.Epoch, taken * step)))).BodyCase);
            }

            using var channel = EvilNode.ChannelTo(cluster.IdentityOf("n2"), cluster.AddressOf(name));
            var door = new Wire.Chat.ChatClient(channel);
            var id = ClusterId.FromBytes((await door.GetClusterAsync(new())).Cluster.Span);
            await door.RegisterAsync(new ChatUser("bob" + name, id).Registration());
            Assert.False((await ReadAsync(cluster, bob, name)).IsEmpty);
        }
    }

    /// <param name="first">Anna's account before her second device.</param>
    private static (string Key, ReadOnlyMemory<byte> Value)[] Wishes(
        ChatUser anna, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> now)
    {
        var account = Account.FromBytes(now);
        var impostor = new Impostor(anna.Cluster, "anna", 4);
        var (rubbish, session) = (EvilNode.Bytes(300), RegisterKey.Session("anna").Name);
        var ahead = new SessionRecord(900, default, 9, 1, 1, IsOpen: true);
        return
        [
            .. Enumerable.Range(0, 4).Select(number => (Anna.Name, impostor.Account(account, number))),
            (Anna.Name, first),
            (Anna.Name, (account with { Credential = "$2b$10$mine" }).ToBytes()),
            (Anna.Name, (account with { Version = 9 }).ToBytes()),
            (RegisterKey.KeyLog("anna", 0).Name, impostor.Entry(0)),
            (RegisterKey.KeyLog("anna", 1).Name, impostor.Entry(1)), // Before hers is kept there.
            (RegisterKey.KeyLog("carl", 0).Name, new Impostor(anna.Cluster, "carl", 1).Entry(0)),
            (session, ahead.ToBytes()),
            (session, (ahead with { Number = 0, Epoch = 1 }).ToBytes()),
            (RegisterKey.Invitation("0011223344556677").Name, new InvitationUse(EvilNode.Bytes(20), "anna").ToBytes()),
            .. ((string[])[
                Anna.Name, RegisterKey.Account("nobody").Name, RegisterKey.KeyLog("anna", 1).Name, session,
                RegisterKey.Invitation("0011223344556677").Name, RegisterKey.Circle("anna").Name])
                .SelectMany(key => (ReadOnlyMemory<byte>[])[rubbish, default], (key, value) => (key, value)),
        ];
    }

    private static async Task WriteAsync(
        NodeIdentity identity, NodeCluster cluster, string victim, (string Key, ReadOnlyMemory<byte> Value)[] wishes)
    {
        await using var evil = await EvilNode.LinkAsync(identity, cluster[victim]);
        var round = 1000UL;
        foreach (var (key, value) in wishes)
        {
            var at = TileOf(cluster, victim, new(key)).At;
            var ballot = evil.Ballot(at.Epoch, round++);
            await evil.AskAsync(new ReplicaRequest.Prepare(at, key, ballot));
            var answer = await evil.AskAsync(new ReplicaRequest.Accept(at, key, ballot, value));
            Assert.NotEqual(Answer.BodyOneofCase.Accepted, answer.BodyCase);
        }
    }

    private static async Task NewDeviceAsync(Wire.Chat.ChatClient door, ChatUser user)
    {
        var login = await door.LogInAsync(new() { User = user.Name, Secret = user.Secret });
        await door.PublishKeysAsync(user.Publication(login.Ticket));
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(NodeCluster cluster, RegisterKey key, string at = "n1") =>
        Assert.IsType<ReadOutcome.Agreed>(
            await cluster.Registers(at).ReadAsync(key, CancellationToken.None)).Value;

    private static async Task<string[]> RowsAsync(
        NodeCluster cluster, (string Key, ReadOnlyMemory<byte> Value)[] wishes)
    {
        var rows = new List<string>();
        foreach (var name in cluster.Names)
            foreach (var key in wishes.Select(wish => wish.Key).Distinct())
                rows.Add($"{name} {key} {Convert.ToHexString((await RowAsync(cluster, name, key)).Value.Span)}");
        return [.. rows];
    }

    /// <summary>What that node has on its disk. It answers nothing while it is still opening, or while the tile goes
    /// on to another epoch.</summary>
    private static async Task<ReplicaReply.Peeked> RowAsync(NodeCluster cluster, string name, string key)
    {
        var calls = cluster[name].Services.GetRequiredService<ReplicaCalls>();
        ReplicaReply.Peeked? row = null;
        await Condition.UntilAsync($"{name} shows {key}", Patience, async () =>
        {
            var replied = new TaskCompletionSource<ReplicaReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
            calls.Send(
                calls.Self, new ReplicaRequest.Peek(TileOf(cluster, name, new(key)).At, key), replied.SetResult);
            row = await replied.Task.WaitAsync(Patience) as ReplicaReply.Peeked;
            return row is not null;
        });
        return row!;
    }

    private static Task<bool> PlantAsync(
        NodeCluster cluster, string name, TileConfiguration tile, params TransferredRegister[] rows) =>
        cluster[name].Services.GetRequiredService<ReplicaWriter>().AskAsync(store =>
        {
            foreach (var (key, ballot, value) in rows)
            {
                store.GetRegister(tile.Tile, key);
                store.PutRegister(tile.Tile, key, new RegisterRow(ballot, ballot, value));
            }

            return true;
        });

    private static TileConfiguration TileOf(NodeCluster cluster, string seenBy, RegisterKey key) =>
        cluster[seenBy].Services.GetRequiredService<TileDirectory>().At(key.Point);
}
