using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using ChordChat.Node.View;
using ChordChat.Wire;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#tile-split on whole nodes.</summary>
public sealed class TileSplitTests
{
    private const int TilesAtStart = 128;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task All_tiles_are_cut_while_messages_flow_and_nothing_is_lost()
    {
        // 128 tiles are fewer than 43 for each of three nodes; 256 are not.
        await using var cluster = await NodeCluster.StartAsync(3, new() { ["Steward:SplitPerNode"] = "43" });
        var mailboxes = Enumerable.Range(0, 16).Select(i => SetKey.Mailbox($"user{i}")).ToArray();
        var kept = mailboxes.ToDictionary(mailbox => mailbox, _ => new List<MessageId>());
        var accounts = Enumerable.Range(0, 8).Select(i => FreeRows.Register($"user{i}")).ToArray();
        var next = 0;
        await Condition.UntilAsync("every node has cut every tile", Patience, async () =>
        {
            foreach (var mailbox in mailboxes)
            {
                var id = new MessageId((UInt128)next++);
                Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster, $"n{(next % 3) + 1}", mailbox, id));
                kept[mailbox].Add(id);
            }

            foreach (var account in accounts)
                await cluster.Registers("n2").ChangeAsync(account, _ => Bytes($"{next}"), CancellationToken.None);
            return cluster.Names.All(name => ActiveAt(cluster, name).All(tile => tile.Bits == 8)
                && ActiveAt(cluster, name).Count == 2 * TilesAtStart);
        });

        foreach (var account in accounts)
            Assert.IsType<ChangeOutcome.Stored>(
                await cluster.Registers("n1").ChangeAsync(account, _ => Bytes("the last"), CancellationToken.None));
        await cluster.StopAsync("n3");
        await cluster.StartAsync("n3");
        await cluster.SettleAsync();
        foreach (var name in cluster.Names)
        {
            foreach (var mailbox in mailboxes)
                Assert.Equal(kept[mailbox], (await ScanAsync(cluster, name, mailbox)).Order());
            foreach (var account in accounts)
                Assert.Equal("the last", Text(Assert.IsType<ReadOutcome.Agreed>(
                    await cluster.Registers(name).ReadAsync(account, CancellationToken.None)).Value));
            AssertIsCircle(await PictureAsync(cluster, name), 2 * TilesAtStart);
        }
    }

    [Fact]
    public async Task Only_the_tile_that_holds_too_much_is_cut()
    {
        await using var cluster = await NodeCluster.StartAsync(3, new() { ["Steward:SplitBytes"] = "40000" });
        var names = Enumerable.Range(0, 100_000).Select(i => SetKey.Mailbox($"user{i}"));
        var tile = TileId.Of(SetKey.Mailbox("user0").Point, 7);
        var mailboxes = names.Where(mailbox => tile.First.Contains(mailbox.Point)).Take(2)
            .Concat(names.Where(mailbox => tile.Second.Contains(mailbox.Point)).Take(2)).ToArray();
        for (var i = 0; i < 60; i++)
            Assert.IsType<AddOutcome.Stored>(await AddAsync(
                cluster, "n1", mailboxes[i % mailboxes.Length], new MessageId((UInt128)i)));

        await Condition.UntilAsync("the tile is cut at every node", Patience, () => Task.FromResult(
            cluster.Names.All(name => ActiveAt(cluster, name).Count(tile.Contains) == 2)));
        foreach (var name in cluster.Names)
        {
            Assert.Equal(TilesAtStart + 1, ActiveAt(cluster, name).Count);
            for (var i = 0; i < mailboxes.Length; i++)
                Assert.Equal(
                    Enumerable.Range(0, 15).Select(n => new MessageId((UInt128)((n * mailboxes.Length) + i))),
                    (await ScanAsync(cluster, name, mailboxes[i])).Order());
            AssertIsCircle(await PictureAsync(cluster, name), TilesAtStart + 1);
        }
    }

    /// <summary>The page draws each tile from its start to its end: side by side they must be the circle.</summary>
    private static void AssertIsCircle(Snapshot picture, int count)
    {
        Assert.Equal(count, picture.Tiles.Count);
        Assert.All(picture.Tiles, tile => Assert.Equal("active", tile.Phase));
        for (var i = 0; i < count; i++)
            Assert.Equal(
                unchecked(UInt128.Parse(picture.Tiles[i].End, System.Globalization.NumberStyles.HexNumber, null) + 1),
                UInt128.Parse(picture.Tiles[(i + 1) % count].Start, System.Globalization.NumberStyles.HexNumber, null));
    }

    private static async Task<Snapshot> PictureAsync(NodeCluster cluster, string name)
    {
        var picture = cluster[name].Services.GetRequiredService<ClusterPicture>();
        var after = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var snapshot in picture.WatchAsync(limit.Token))
            if (snapshot.AtMs > after)
                return snapshot;
        throw new InvalidOperationException("no picture was drawn");
    }

    private static List<TileId> ActiveAt(NodeCluster cluster, string name) =>
        [.. cluster[name].Services.GetRequiredService<TileBoard>().All
            .Where(header => header.Phase is TilePhase.Active).Select(header => header.Tile)];

    private static Task<AddOutcome> AddAsync(NodeCluster cluster, string at, SetKey set, MessageId id) =>
        cluster.Sets(at).AddAsync(set, new("", long.MaxValue), id, new byte[1000], null, CancellationToken.None);

    private static async Task<List<MessageId>> ScanAsync(NodeCluster cluster, string at, SetKey set)
    {
        var found = new List<MessageId>();
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var page in cluster.Sets(at).ScanAsync(set, limit.Token))
            found.AddRange(page.Select(message => message.Id));
        return found;
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.ASCII.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.ASCII.GetString(bytes.Span);
}
