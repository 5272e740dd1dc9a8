using System.Text.RegularExpressions;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Tiles;
using ChordChat.Node.View;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#generations, with the operator's own command.</summary>
public sealed partial class RecoveryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_tile_whose_majority_of_disks_is_gone_goes_on_with_what_the_survivor_has()
    {
        await using var cluster = await NodeCluster.StartAsync(5);
        var (user, members) = UserOfOneGroup(cluster);
        var (account, notes) = (FreeRows.Register(user), NotesOf(user));
        var at = cluster.Names.First(name => !members.Contains(cluster[name].Node.Self.Node));
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers(at).ChangeAsync(account, _ => new byte[] { 42 }, CancellationToken.None));
        await Condition.UntilAsync("the message is kept three times", Patience, async () =>
            (await StoreAsync(cluster, at, notes, 1)).Copies.Members.Count == 3);
        var tiles = new[] { TileOf(cluster, at, account.Point), TileOf(cluster, at, notes.Point) };
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(cluster, tiles[0], null));
        Assert.Contains("nothing to recover", refused.Message, StringComparison.Ordinal);

        foreach (var member in members[1..])
            await cluster.DestroyAsync(cluster.Names.Single(name => cluster[name].Node.Self.Node == member));
        Assert.IsType<ReadOutcome.Unavailable>(
            await cluster.Registers(at).ReadAsync(account, CancellationToken.None));
        Assert.IsType<AddOutcome.Queued>(await cluster.Sets(at).AddAsync(
            notes, new("", long.MaxValue), new MessageId(2), new byte[] { 2 }, null, CancellationToken.None));

        foreach (var tile in (TileId?[])[tiles[0], null]) // One tile, then all others that need it.
        {
            var plan = await RecoverAsync(cluster, tile, null);
            Assert.Contains("may be lost", plan, StringComparison.Ordinal);
            Assert.Contains($"tile {tile ?? tiles[1]}, generation 0", plan, StringComparison.Ordinal);
            await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(cluster, tile, "00000000"));
            var done = await RecoverAsync(cluster, tile, Code().Match(plan).Groups["code"].Value);
            Assert.Contains($"tile {tile ?? tiles[1]} works again, as generation 1", done, StringComparison.Ordinal);
        }

        Assert.Equal([42], Assert.IsType<ReadOutcome.Agreed>(
            await cluster.Registers(at).ReadAsync(account, CancellationToken.None)).Value.ToArray());
        Assert.Contains(new MessageId(1), await ScanAsync(cluster.Sets(at), notes));
        await Condition.UntilAsync("a new message is kept three times", Patience, async () =>
            (await StoreAsync(cluster, at, notes, 3)).Copies.Members.Count == 3);
        refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(cluster, null, null));
        Assert.Contains("for every tile", refused.Message, StringComparison.Ordinal);
        await ShownAsync(cluster, at, tiles);
    }

    /// <summary>The page shows the members of the new generation.</summary>
    private static async Task ShownAsync(NodeCluster cluster, string at, TileId[] tiles)
    {
        await foreach (var picture in cluster[at].Services.GetRequiredService<ClusterPicture>()
            .WatchAsync(new CancellationTokenSource(Patience).Token))
            if (tiles.All(tile => picture.Tiles.Single(shown => shown.Tile == tile.ToString()).Members.Count == 3))
                return;
    }

    private static async Task<string> RecoverAsync(NodeCluster cluster, TileId? tile, string? code)
    {
        using var output = new StringWriter();
        await RecoverCommand.RunAsync(
            cluster.Root, [cluster.AddressOf(cluster.Names.First())], tile, code, output, CancellationToken.None);
        return output.ToString();
    }

    /// <summary>A set that anybody may write to: a mailbox asks for its senders' sessions.</summary>
    private static SetKey NotesOf(string user) => FreeRows.Set(user);

    /// <summary>A user whose account and notes are kept by the same three nodes.</summary>
    private static (string User, NodeId[] Members) UserOfOneGroup(NodeCluster cluster)
    {
        var directory = cluster["n1"].Services.GetRequiredService<TileDirectory>();
        return Enumerable.Range(0, 10_000).Select(i => $"user{i}").Select(user => (
                user, Account: directory.At(FreeRows.Register(user).Point),
                Notes: directory.At(NotesOf(user).Point)))
            .Where(found => found.Account.Tile != found.Notes.Tile
                && found.Account.Members.SequenceEqual(found.Notes.Members))
            .Select(found => (found.user, found.Account.Members.ToArray())).First();
    }

    private static TileId TileOf(NodeCluster cluster, string at, RingId point) =>
        cluster[at].Services.GetRequiredService<TileDirectory>().At(point).Tile;

    private static async Task<AddOutcome.Stored> StoreAsync(NodeCluster cluster, string at, SetKey set, uint id) =>
        Assert.IsType<AddOutcome.Stored>(await cluster.Sets(at).AddAsync(
            set, new("", long.MaxValue), new MessageId(id), new byte[] { 1 }, null, CancellationToken.None));

    private static async Task<MessageId[]> ScanAsync(IMessageSets sets, SetKey set)
    {
        var found = new List<MessageId>();
        await foreach (var page in sets.ScanAsync(set, CancellationToken.None))
            found.AddRange(page.Select(message => message.Id));
        return [.. found];
    }

    [GeneratedRegex("--accept-loss (?<code>[0-9a-f]{8})")]
    private static partial Regex Code();
}
