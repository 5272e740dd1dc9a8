using System.Text.RegularExpressions;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;
using ChordChat.Sdk.Messages;
using ChordChat.Tests.Cluster.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#receipt: what a sender is told of messages that an operator gave up.</summary>
public sealed partial class LostCopyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task After_an_order_a_receipt_names_only_nodes_that_have_the_message()
    {
        // Nobody is given a tile because somebody is gone for some seconds.
        await using var cluster = await NodeCluster.StartAsync(5, new()
        {
            ["Membership:DeadAfter"] = "01:00:00",
            ["Membership:SilentDeadAfter"] = "01:00:00",
            ["Replication:LateRoundsMax"] = "0",
        });
        var directory = cluster["n1"].Services.GetRequiredService<TileDirectory>();
        string NameOf(NodeId node) => cluster.Names.Single(name => cluster[name].Node.Self.Node == node);
        string[] MembersAt(RingId point) => [.. directory.At(point).Members.Select(NameOf)];

        // Of the three that keep bob's mailbox one is away when he is written to, and the other two are lost.
        var (survivor, lost, others) = Split(cluster, MembersAt(SetKey.Mailbox("bob").Point));
        var alice = Enumerable.Range(0, 10_000).Select(i => $"alice{i}").First(
            name => others.All(MembersAt(RegisterKey.Account(name).Point).Contains));
        var at = Person.Search(cluster.AddressOf(others[0]));
        await using var bob = await Person.RegisterAsync("bob", at);
        await using var sender = await (await Person.RegisterAsync(alice, at)).OnlineAsync();
        await cluster.StopAsync(survivor);
        var forgotten = await SendAsync(
            sender, "the node has no copy of its own of this once all that follows is kept", lost);
        var last = "";
        for (var i = 0; i < 6; i++)
            last = await SendAsync(sender, new string((char)('a' + i), 50_000), lost);

        foreach (var name in lost)
            await cluster.DestroyAsync(name);
        var back = (await cluster.StartAsync(survivor)).Node.Self;
        // Otherwise the order would begin with two members.
        var guard = cluster[survivor].Services.GetRequiredService<DiskGuard>();
        await Condition.UntilAsync($"all see {survivor} again", Patience, () => Task.FromResult(
            guard.IsOpen && others.All(
                name => cluster.MembersSeenBy(name)[back.Node] is { IsReachable: true } seen
                    && seen.Peer.Address == back.Address
                    && cluster.MembersSeenBy(survivor)[cluster[name].Node.Self.Node] is { IsReachable: true })));
        await RecoverAsync(cluster, directory.At(SetKey.Mailbox("bob").Point).Tile);

        await CopiesAsync(sender, last, [survivor, .. others]);
        // With another node gone all are counted anew, in the order in which they were sent.
        await cluster.StopAsync(others[1]);
        await CopiesAsync(sender, last, survivor, others[0]);
        var kept = new List<MessageId>();
        await foreach (var page in cluster.Sets(others[0]).ScanAsync(SetKey.Mailbox("bob"), CancellationToken.None))
            kept.AddRange(page.Select(message => message.Id));
        Assert.Contains(IdOf(last), kept);
        // The survivor may have been given it in the end, though that is not tried for long; then it is there.
        await CopiesAsync(sender, forgotten, kept.Contains(IdOf(forgotten)) ? [survivor, others[0]] : []);
    }

    private static (string Survivor, string[] Lost, string[] Others) Split(NodeCluster cluster, string[] members) =>
        (members[0], members[1..], [.. cluster.Names.Except(members)]);

    private static MessageId IdOf(string id) => MessageId.FromBytes(Convert.FromHexString(id));

    private static async Task<string> SendAsync(Person sender, string text, string[] keepers)
    {
        var id = sender.Client.Send("bob", text);
        await CopiesAsync(sender, id, keepers);
        return id;
    }

    private static async Task CopiesAsync(Person sender, string id, params string[] names)
    {
        var message = await sender.Client.History.WaitAsync(
            id, message => message.State == MessageState.Kept && Answering(message).SequenceEqual(names.Order()),
            Patience);
        Assert.Equal(names.Order(), Answering(message));
        Assert.Equal((MessageState.Kept, 3), (message.State, message.Of));

        static IEnumerable<string> Answering(ChatMessage message) => (message.Reachable ?? message.Copies).Order();
    }

    private static async Task RecoverAsync(NodeCluster cluster, TileId tile)
    {
        using var plan = new StringWriter();
        string[] nodes = [.. cluster.Names.Select(cluster.AddressOf)];
        await RecoverCommand.RunAsync(cluster.Root, nodes, tile, null, plan, CancellationToken.None);
        var code = Code().Match(plan.ToString()).Groups["code"].Value;
        using var done = new StringWriter();
        await RecoverCommand.RunAsync(cluster.Root, nodes, tile, code, done, CancellationToken.None);
        Assert.Contains($"tile {tile} works again, as generation 1", done.ToString(), StringComparison.Ordinal);
    }

    [GeneratedRegex("--accept-loss (?<code>[0-9a-f]{8})")]
    private static partial Regex Code();
}
