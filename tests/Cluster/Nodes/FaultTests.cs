using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#faults-of-one-request.</summary>
public sealed class FaultTests
{
    private const int LineNumber = 2005;
    private static readonly SetKey Set = FreeRows.Set("notes");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task One_request_that_meets_an_error_of_the_program_ends_neither_the_node_nor_the_others()
    {
        using var lines = new LoggedLines();
        await using var cluster = await NodeCluster.StartAsync(
            1, others: (_, services) => services.AddSingleton<ILoggerProvider>(lines));
        var replies = await InOneTransactionAsync(
            cluster, Add(cluster, 1), Write(cluster, round: 1), Add(cluster, 2), Write(cluster, round: 2));
        Assert.IsType<ReplicaReply.Added>(replies[0]);
        Assert.IsType<ReplicaReply.TooMany>(replies[1]);
        Assert.IsType<ReplicaReply.Added>(replies[2]);
        Assert.IsType<ReplicaReply.TooMany>(replies[3]);
        Assert.Equal(2, await CountAsync(cluster));
        Assert.InRange(lines.Of(LineNumber), 1, 2); // A minute may have passed.

        await cluster.StopAsync("n1");
        await cluster.StartAsync("n1");
        await cluster.SettleAsync();
        Assert.Equal(2, await CountAsync(cluster));
    }

    [Fact]
    public async Task A_question_or_an_answer_that_fails_is_the_business_of_whoever_asked()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var writer = cluster["n1"].Services.GetRequiredService<ReplicaWriter>();
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => writer.AskAsync<bool>(_ => throw new InvalidOperationException("a fault")));
        Assert.True(writer.Submit(
            Add(cluster, 1), cluster["n1"].Node.Self.Node, _ => throw new InvalidOperationException("a fault")));
        Assert.Equal(1, await CountAsync(cluster));
    }

    private static async Task<ReplicaReply[]> InOneTransactionAsync(
        NodeCluster cluster, params ReplicaRequest[] requests)
    {
        var writer = cluster["n1"].Services.GetRequiredService<ReplicaWriter>();
        var self = cluster["n1"].Services.GetRequiredService<ReplicaCalls>().Self;
        var reached = new TaskCompletionSource();
        using var gathered = new ManualResetEventSlim();
        var holding = writer.AskAsync(_ =>
        {
            reached.SetResult();
            gathered.Wait();
            return true;
        });
        await reached.Task;
        var replies = requests.Select(request =>
        {
            var reply = new TaskCompletionSource<ReplicaReply>(TaskCreationOptions.RunContinuationsAsynchronously);
            Assert.True(writer.Submit(request, self, reply.SetResult));
            return reply.Task;
        }).ToArray();
        gathered.Set();
        await holding;
        return await Task.WhenAll(replies).WaitAsync(Patience);
    }

    private static async Task<int> CountAsync(NodeCluster cluster) =>
        (await InOneTransactionAsync(cluster, new ReplicaRequest.Scan(TileOf(cluster, Set.Point), Set.Name, 0, 9)))
            .OfType<ReplicaReply.Scanned>().Single().Messages.Length;

    private static ReplicaRequest.Add Add(NodeCluster cluster, byte number) =>
        new(TileOf(cluster, Set.Point), Set.Name, new MessageId(number), new[] { number });

    private static ReplicaRequest.Accept Write(NodeCluster cluster, ulong round)
    {
        var at = TileOf(cluster, FreeRows.Faulty.Point);
        return new(at, FreeRows.Faulty.Name, new Ballot(at.Epoch, round, cluster["n1"].Node.Self.Node, 1), new byte[9]);
    }

    private static TileEpoch TileOf(NodeCluster cluster, RingId point) =>
        cluster["n1"].Services.GetRequiredService<TileDirectory>().At(point).At;
}
