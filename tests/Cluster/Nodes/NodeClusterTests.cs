using System.Globalization;
using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>Loops, gRPC, TLS and SQLite carry what the simulator has shown of the protocol.</summary>
public sealed class NodeClusterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task Three_nodes_change_one_register_and_no_change_is_lost()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var counter = FreeRows.Register("counter");

        await Task.WhenAll(cluster.Names.Select(async at =>
        {
            for (var i = 0; i < 10; i++)
                await IncrementAsync(cluster.Registers(at), counter);
        }));

        foreach (var at in cluster.Names)
            Assert.Equal(30, Number(Assert.IsType<ReadOutcome.Agreed>(
                await cluster.Registers(at).ReadAsync(counter, CancellationToken.None)).Value));
    }

    [Fact]
    public async Task What_is_added_at_one_node_is_read_at_another_until_it_is_acknowledged()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var mailbox = SetKey.Mailbox("bob");
        var ids = Ids(0, 50);
        foreach (var id in ids)
            Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster.Sets("n1"), mailbox, id));
        await AddAsync(cluster.Sets("n3"), mailbox, ids[0]);

        Assert.Equal(ids, await ScanAsync(cluster.Sets("n2"), mailbox));
        Assert.True(await cluster.Sets("n3").AcknowledgeAsync(mailbox, ids[..20], CancellationToken.None));
        Assert.Equal(ids[20..], await ScanAsync(cluster.Sets("n1"), mailbox));
    }

    /// <summary>docs/protocol.md#bad-input: whoever brings an answer, the writer or a link, brings those of others too.
    /// </summary>
    [Fact]
    public async Task An_error_in_one_operation_fails_its_caller_and_nobody_else()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var counter = FreeRows.Register("counter");
        for (var i = 0; i < 5; i++)
        {
            var fault = new NotSupportedException();
            Assert.Same(fault, await Assert.ThrowsAsync<NotSupportedException>(() => cluster.Registers("n1")
                .ChangeAsync(counter, _ => throw fault, CancellationToken.None).WaitAsync(Patience)));
            await IncrementAsync(cluster.Registers("n1"), counter);
        }
    }

    /// <summary>docs/operations.md, "Looking at it": where.</summary>
    [Fact]
    public async Task Where_tells_the_members_that_answer_from_those_that_do_not()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var mailbox = SetKey.Mailbox("bob");
        await Condition.UntilAsync("all members of the tile are active", Patience, async () =>
            (await cluster.Sets("n1").FindPlaceAsync(mailbox, CancellationToken.None)).Answering.Count == 3);

        await cluster.StopAsync("n3");

        var found = await cluster.Sets("n1").FindPlaceAsync(mailbox, CancellationToken.None);
        Assert.Equal(["n1", "n2", "n3"], found.Place.Members.Select(member => member.Name).Order());
        Assert.Equal(["n1", "n2"], found.Answering.Select(member => member.Name).Order());
    }

    [Fact]
    public async Task A_fourth_node_takes_over_tiles_while_adds_flow_and_nothing_is_lost()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var sets = Enumerable.Range(0, 16).Select(i => FreeRows.Set($"user{i}")).ToArray();
        var kept = sets.ToDictionary(set => set, _ => new List<MessageId>());

        await cluster.JoinAsync(through: "n1");
        var next = 0;
        await Condition.UntilAsync("n4 keeps a set that is written to", Patience, async () =>
        {
            foreach (var set in sets)
            {
                var id = new MessageId((UInt128)next++);
                Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster.Sets("n2"), set, id));
                kept[set].Add(id);
            }

            return sets.Any(set => Keeps(cluster, "n4", set));
        });

        foreach (var set in sets)
            Assert.Equal(kept[set], (await ScanAsync(cluster.Sets("n4"), set)).Order());
    }

    [Fact]
    public async Task A_node_may_go_and_come_back_elsewhere_while_reads_and_writes_go_on()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var (counter, mailbox) = (FreeRows.Register("counter"), SetKey.Mailbox("bob"));
        var ids = Ids(0, 30);
        var was = cluster.AddressOf("n3");

        for (var i = 0; i < ids.Length; i++)
        {
            if (i == 10)
                await cluster.StopAsync("n3");
            if (i == 20)
                await cluster.StartAsync("n3");
            await IncrementAsync(cluster.Registers("n1"), counter);
            Assert.IsType<AddOutcome.Stored>(await AddAsync(cluster.Sets("n2"), mailbox, ids[i]));
        }

        await cluster.SettleAsync();
        Assert.NotEqual(was, cluster.AddressOf("n3"));
        Assert.Equal(2ul, cluster["n3"].Node.Incarnation);
        Assert.Equal(ids, (await ScanAsync(cluster.Sets("n3"), mailbox)).Order());
        Assert.Equal(30, Number(Assert.IsType<ReadOutcome.Agreed>(
            await cluster.Registers("n3").ReadAsync(counter, CancellationToken.None)).Value));
    }

    /// <summary>The value is the ids of all changes so far: one that was outrun knows itself again by its id;
    /// docs/protocol.md#register.</summary>
    private static async Task IncrementAsync(IRegisters registers, RegisterKey key)
    {
        var id = Guid.NewGuid().ToString("n")[..8];
        using var limit = new CancellationTokenSource(Patience);
        for (ReadOnlyMemory<byte> value = default; !Holds(value, id);)
            value = await registers.ChangeAsync(
                key, current => Holds(current, id) ? null : Append(current, id), limit.Token) switch
            {
                ChangeOutcome.Stored stored => stored.Value,
                ChangeOutcome.Declined declined => declined.Current,
                _ => default, // Outrun too often, or not known: the id makes trying again harmless.
            };
    }

    private static bool Holds(ReadOnlyMemory<byte> value, string id) =>
        Encoding.ASCII.GetString(value.Span).Contains(id, StringComparison.Ordinal);

    private static ReadOnlyMemory<byte>? Append(ReadOnlyMemory<byte> value, string id) =>
        (byte[])[.. value.Span, .. Encoding.ASCII.GetBytes(id)];

    private static Task<AddOutcome> AddAsync(IMessageSets sets, SetKey set, MessageId id) =>
        sets.AddAsync(set, new("", long.MaxValue), id, Text((int)id.Value), null, CancellationToken.None);

    private static async Task<MessageId[]> ScanAsync(IMessageSets sets, SetKey set)
    {
        var found = new List<MessageId>();
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var page in sets.ScanAsync(set, limit.Token))
            found.AddRange(page.Select(message => message.Id));
        return [.. found];
    }

    private static bool Keeps(NodeCluster cluster, string name, SetKey set)
    {
        var directory = cluster[name].Services.GetRequiredService<TileDirectory>();
        return cluster[name].Services.GetRequiredService<TileBoard>().Of(directory.At(set.Point).Tile)
            is { Phase: TilePhase.Active };
    }

    private static MessageId[] Ids(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => new MessageId((UInt128)i))];

    private static ReadOnlyMemory<byte> Text(int number) =>
        Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    private static int Number(ReadOnlyMemory<byte> value) => value.Length / 8;
}
