using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#scrub on real files: a bit flips while the node is stopped; it finds that by itself and
/// has the row again from the others.</summary>
public sealed class DamageTests
{
    private const string Content = "what was said between two people and must be read as it was";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly SetKey Mailbox = SetKey.Mailbox("bob");
    private static readonly RegisterKey Account = FreeRows.Register("bob");

    [Fact]
    public async Task A_message_with_a_flipped_bit_is_found_and_read_again_as_it_was()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        Assert.IsType<AddOutcome.Stored>(await cluster.Sets("n1").AddAsync(
            Mailbox, new("", long.MaxValue), new MessageId(1), Bytes(Content), null, CancellationToken.None));
        await UntilAsync("n3 keeps it", () => MessageAtAsync(cluster, "n3", TileOf(cluster, Mailbox.Point)));

        await DamageAsync(cluster, "n3");
        await UntilMendedAsync(cluster, "n3", Mailbox.Point);
        await UntilAsync("n3 keeps it again", () => MessageAtAsync(cluster, "n3", TileOf(cluster, Mailbox.Point)));
        await cluster.StopAsync("n1"); // From here nobody is asked without n3.
        await foreach (var page in cluster.Sets("n2").ScanAsync(Mailbox, CancellationToken.None))
            Assert.Equal(Content, Encoding.ASCII.GetString(Assert.Single(page).Content.Span));
    }

    [Fact]
    public async Task A_register_with_a_flipped_bit_takes_its_copy_out_of_the_epoch_until_the_next()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers("n1").ChangeAsync(Account, _ => Bytes(Content), CancellationToken.None));
        await UntilAsync("n3 has accepted it", () => ValueAtAsync(cluster, "n3", TileOf(cluster, Account.Point)));

        await DamageAsync(cluster, "n3");
        await UntilMendedAsync(cluster, "n3", Account.Point);
        await cluster.StopAsync("n1");
        await UntilAsync("n2 and n3 agree on it", async () =>
            await cluster.Registers("n3").ReadAsync(Account, CancellationToken.None) is ReadOutcome.Agreed agreed
            && Encoding.ASCII.GetString(agreed.Value.Span) == Content);
    }

    [Fact]
    public async Task A_header_damaged_twice_is_refused_at_the_start_in_words()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var path = cluster.DatabaseOf("n1");
        await cluster.StopAsync("n1");
        using (var database = new SqliteConnection($"Data Source={path};Pooling=false"))
        {
            database.Open();
            using var change = database.CreateCommand();
            change.CommandText = "UPDATE tiles SET header = zeroblob(40), spare = zeroblob(40)";
            Assert.NotEqual(0, change.ExecuteNonQuery());
        }

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => cluster.StartAsync("n1"));
        Assert.Equal(ExitCode.Damaged, refused.Code);
        Assert.Contains("is damaged", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>docs/protocol.md#repair: rows of one copy alone, as a coordinator leaves them that died.</summary>
    [Fact]
    public async Task What_one_copy_has_alone_the_others_fetch()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var (mailbox, account) = (TileOf(cluster, Mailbox.Point), TileOf(cluster, Account.Point));
        Assert.IsType<ReplicaReply.Added>(await AskAsync(cluster, "n1", mailbox, at =>
            new ReplicaRequest.Add(at, Mailbox.Name, new MessageId(1), Bytes(Content))));
        Assert.IsType<ReplicaReply.Accepted>(await AskAsync(cluster, "n1", account, at => new ReplicaRequest.Accept(
            at, Account.Name, new Ballot(at.Epoch, 1, cluster["n1"].Node.Self.Node, 1), Bytes(Content))));

        foreach (var name in (string[])["n2", "n3"])
        {
            await UntilAsync($"{name} has the message", () => MessageAtAsync(cluster, name, mailbox));
            await UntilAsync($"{name} has the value", () => ValueAtAsync(cluster, name, account));
        }

        await AskAsync(cluster, "n2", mailbox, at =>
            new ReplicaRequest.Acknowledge(at, Mailbox.Name, [new MessageId(1)]));
        foreach (var name in cluster.Names)
            await UntilAsync($"{name} has buried it", async () =>
                await AskAsync(cluster, name, mailbox, at => new ReplicaRequest.Scan(at, Mailbox.Name, 0, 10))
                    is ReplicaReply.Scanned { Messages: [] });
    }

    /// <summary>Flips one bit in the first copy of the content in the node's file while the node is stopped.</summary>
    private static async Task DamageAsync(NodeCluster cluster, string name)
    {
        var path = cluster.DatabaseOf(name);
        await cluster.StopAsync(name);
        var file = await File.ReadAllBytesAsync(path);
        var at = file.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Content));
        Assert.True(at > 0, "the content stands in the file");
        file[at + 20] ^= 0x10;
        await File.WriteAllBytesAsync(path, file);
        await cluster.StartAsync(name);
    }

    /// <summary>The node found the damage without being asked for the row: its copy is active in a later
    /// epoch.</summary>
    private static Task UntilMendedAsync(NodeCluster cluster, string name, Core.Ring.RingId point) =>
        UntilAsync($"{name} has copied the tile anew", () => Task.FromResult(
            cluster[name].Services.GetRequiredService<TileBoard>().Of(TileOf(cluster, point))
                is { Phase: TilePhase.Active, Configuration.Epoch: > 1 }));

    private static async Task<bool> MessageAtAsync(NodeCluster cluster, string name, TileId tile) =>
        await AskAsync(cluster, name, tile, at => new ReplicaRequest.Scan(at, Mailbox.Name, 0, 10))
            is ReplicaReply.Scanned { Messages: [var message] }
        && Encoding.ASCII.GetString(message.Content.Span) == Content;

    private static async Task<bool> ValueAtAsync(NodeCluster cluster, string name, TileId tile) =>
        await AskAsync(cluster, name, tile, at => new ReplicaRequest.Peek(at, Account.Name))
            is ReplicaReply.Peeked peeked
        && Encoding.ASCII.GetString(peeked.Value.Span) == Content;

    private static async Task<ReplicaReply?> AskAsync(
        NodeCluster cluster, string name, TileId tile, Func<TileEpoch, ReplicaRequest> request)
    {
        var services = cluster[name].Services;
        var calls = services.GetRequiredService<ReplicaCalls>();
        var at = services.GetRequiredService<TileBoard>().Of(tile)!.Configuration.At;
        var replied = new TaskCompletionSource<ReplicaReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Send(calls.Self, request(at), replied.SetResult);
        return await replied.Task;
    }

    private static TileId TileOf(NodeCluster cluster, Core.Ring.RingId point) =>
        cluster["n2"].Services.GetRequiredService<TileDirectory>().At(point).Tile;

    private static Task UntilAsync(string what, Func<Task<bool>> holds) =>
        Condition.UntilAsync(what, Patience, holds);

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
