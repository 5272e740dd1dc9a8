using System.Collections.Concurrent;
using ChordChat.Core.Tiles;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#room-on-the-disk, with nodes whose disks say what the test wants.</summary>
public sealed class FullDiskTests
{
    private const long GiB = 1L << 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly SetKey Mailbox = SetKey.Mailbox("bob");

    private readonly ConcurrentDictionary<string, bool> _full = new();

    [Fact]
    public async Task What_one_node_has_no_room_for_is_kept_by_the_other_two_and_by_it_when_there_is_room()
    {
        await using var cluster = await StartAsync();
        await AddAsync(cluster, 1, copies: 3);
        await FillAsync(cluster, "n3");

        var kept = await AddAsync(cluster, 2, copies: 2);
        Assert.DoesNotContain("n3", kept.Copies.Members.Select(peer => peer.Name));
        Assert.True(await cluster.Sets("n3").AcknowledgeAsync(Mailbox, [new MessageId(1)], CancellationToken.None));
        Assert.Equal([new MessageId(2)], await ScanAsync(cluster, "n3"));
        using var http = new HttpClient(new Node.Identity.ClusterTls(cluster.IdentityOf("n1")).CreateHandler(null));
        Assert.Contains(
            "it keeps no new messages", await http.GetStringAsync($"https://{cluster.AddressOf("n3")}/healthz"),
            StringComparison.Ordinal);

        await MakeRoomAsync(cluster);
        await AddAsync(cluster, 2, copies: 3);
    }

    [Fact]
    public async Task What_no_majority_has_room_for_waits_and_is_kept_when_there_is_room()
    {
        await using var cluster = await StartAsync();
        await AddAsync(cluster, 1, copies: 3);
        await FillAsync(cluster, "n1", "n2", "n3");

        var name = FreeRows.Register("new");
        Assert.IsType<AddOutcome.Queued>(await OutcomeAsync(cluster, 2));
        Assert.IsType<ChangeOutcome.Unavailable>(
            await cluster.Registers("n1").ChangeAsync(name, _ => "a"u8.ToArray(), CancellationToken.None));
        Assert.Equal([new MessageId(1)], await ScanAsync(cluster, "n2"));
        Assert.True(await cluster.Sets("n2").AcknowledgeAsync(Mailbox, [new MessageId(1)], CancellationToken.None));
        await cluster.SettleAsync(); // Rows that are there are written to.

        await MakeRoomAsync(cluster);
        await AddAsync(cluster, 2, copies: 3);
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers("n1").ChangeAsync(name, _ => "a"u8.ToArray(), CancellationToken.None));
        Assert.Equal([new MessageId(2)], await ScanAsync(cluster, "n3"));
    }

    private Task<NodeCluster> StartAsync() => NodeCluster.StartAsync(3, others: (data, services) =>
        services.AddSingleton<VolumeProbe>(
            () => new(_full.ContainsKey(Path.GetFileName(data)) ? 1 << 20 : 50 * GiB, 100 * GiB)));

    private Task FillAsync(NodeCluster cluster, params string[] names)
    {
        foreach (var name in names)
            _full[name] = true;
        return SeenAsync(cluster);
    }

    private Task MakeRoomAsync(NodeCluster cluster)
    {
        _full.Clear();
        return SeenAsync(cluster);
    }

    private Task SeenAsync(NodeCluster cluster) => Condition.UntilAsync(
        "each node has looked at its disk", Patience, () => Task.FromResult(cluster.Names.All(name =>
            cluster[name].Services.GetRequiredService<DiskRoom>().Shortage is null == !_full.ContainsKey(name))));

    private static Task<AddOutcome> OutcomeAsync(NodeCluster cluster, uint id) => cluster.Sets("n1").AddAsync(
        Mailbox, new("", long.MaxValue), new MessageId(id), "sealed"u8.ToArray(), null, CancellationToken.None);

    private static async Task<AddOutcome.Stored> AddAsync(NodeCluster cluster, uint id, int copies)
    {
        AddOutcome.Stored? kept = null;
        await Condition.UntilAsync($"{copies} copies are kept", Patience, async () =>
        {
            kept = Assert.IsType<AddOutcome.Stored>(await OutcomeAsync(cluster, id));
            return kept.Copies.Members.Count >= copies;
        });
        return kept!;
    }

    private static async Task<MessageId[]> ScanAsync(NodeCluster cluster, string at)
    {
        var found = new List<MessageId>();
        await foreach (var page in cluster.Sets(at).ScanAsync(Mailbox, CancellationToken.None))
            found.AddRange(page.Select(message => message.Id));
        return [.. found];
    }
}
