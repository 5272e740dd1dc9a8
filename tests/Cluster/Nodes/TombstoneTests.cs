using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#tombstones, over real nodes and files; what takes weeks takes seconds.</summary>
public sealed class TombstoneTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly SetKey Mailbox = SetKey.Mailbox("bob");

    [Fact]
    public async Task A_deleted_message_leaves_nothing_behind_and_does_not_come_back_when_it_is_sent_again()
    {
        await using var cluster = await NodeCluster.StartAsync(3, new Dictionary<string, string?>
        {
            ["Ages:TombstoneAge"] = "00:00:08",
            ["Ages:PerRank"] = "00:00:01",
            ["Collection:Every"] = "00:00:01",
        });
        Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster, "n1", 1, Now));
        Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster, "n1", 2, Now));
        Assert.True(await cluster.Sets("n2").AcknowledgeAsync(Mailbox, [new(1)], CancellationToken.None));
        foreach (var name in cluster.Names)
            await Condition.UntilAsync($"{name} has forgotten it", Patience, async () =>
                await AgeAsync(cluster, name, 1) is EntryAge.Absent);

        Assert.IsType<AddOutcome.TooLate>(
            await AddAsync(cluster, "n3", 1, Now - (long)TimeSpan.FromDays(8).TotalMilliseconds));
        Assert.Equal([new MessageId(2)], await ReadAsync(cluster, "n3"));
        foreach (var name in cluster.Names)
            await Condition.UntilAsync($"{name} keeps the other one", Patience, async () =>
                await AgeAsync(cluster, name, 2) is EntryAge.Message);
    }

    [Fact]
    public async Task A_node_that_was_off_for_weeks_copies_anew_what_the_others_have()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster, "n1", 1, Now));
        await Condition.UntilAsync("n3 keeps it", Patience, async () =>
            await AgeAsync(cluster, "n3", 1) is EntryAge.Message);
        var epoch = HeaderAt(cluster, "n3").Configuration.Epoch;

        var path = cluster.DatabaseOf("n3");
        await cluster.StopAsync("n3");
        SetSeen(path, Now - (long)TimeSpan.FromDays(20).TotalMilliseconds);
        await cluster.StartAsync("n3");
        await Condition.UntilAsync("n3 has copied the tile anew", Patience, () => Task.FromResult(
            HeaderAt(cluster, "n3") is { Phase: TilePhase.Active } header && header.Configuration.Epoch > epoch));
        Assert.Equal(EntryAge.Message, await AgeAsync(cluster, "n3", 1));
        Assert.Equal([new MessageId(1)], await ReadAsync(cluster, "n3"));
    }

    [Fact]
    public async Task Nodes_that_were_off_for_weeks_together_have_what_they_had()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster, "n1", 1, Now));
        string[] names = [.. cluster.Names];
        foreach (var name in names)
        {
            var path = cluster.DatabaseOf(name);
            await cluster.StopAsync(name);
            SetSeen(path, Now - (long)TimeSpan.FromDays(20).TotalMilliseconds);
        }

        foreach (var name in names)
            await cluster.StartAsync(name);
        await cluster.SettleAsync();
        Assert.Equal([new MessageId(1)], await ReadAsync(cluster, "n2"));
    }

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private static void SetSeen(string path, long unixMs)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE meta SET value = $1 WHERE key = 'seen_ms'";
        command.Parameters.AddWithValue("$1", $"{unixMs}");
        Assert.Equal(1, command.ExecuteNonQuery());
    }

    private static Task<AddOutcome> AddAsync(NodeCluster cluster, string at, uint id, long sentMs) =>
        cluster.Sets(at).AddAsync(
            Mailbox, new("", sentMs), new MessageId(id), new byte[] { 1, 2, 3 }, null, CancellationToken.None);

    private static async Task<List<MessageId>> ReadAsync(NodeCluster cluster, string at)
    {
        var ids = new List<MessageId>();
        await foreach (var page in cluster.Sets(at).ScanAsync(Mailbox, CancellationToken.None))
            ids.AddRange(page.Select(message => message.Id));
        return ids;
    }

    private static async Task<EntryAge?> AgeAsync(NodeCluster cluster, string name, uint id)
    {
        var calls = cluster[name].Services.GetRequiredService<ReplicaCalls>();
        var replied = new TaskCompletionSource<ReplicaReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Send(
            calls.Self, new ReplicaRequest.GetAges(HeaderAt(cluster, name).Configuration.At, Mailbox.Name, [new(id)]),
            replied.SetResult);
        return await replied.Task is ReplicaReply.Ages { Of: [var age] } ? age : null;
    }

    private static TileHeader HeaderAt(NodeCluster cluster, string name) =>
        cluster[name].Services.GetRequiredService<TileBoard>().Of(
            cluster[name].Services.GetRequiredService<TileDirectory>().At(Mailbox.Point).Tile)!;
}
