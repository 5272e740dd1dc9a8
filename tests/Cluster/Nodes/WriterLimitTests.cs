using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": what gathers while a disk is slow.</summary>
public sealed class WriterLimitTests
{
    [Fact]
    public async Task Past_its_bound_the_writer_takes_no_more_and_answers_all_that_it_took()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var writer = cluster["n1"].Services.GetRequiredService<ReplicaWriter>();
        var self = cluster["n1"].Services.GetRequiredService<ReplicaCalls>().Self;
        var ask = new ReplicaRequest.GetConfiguration(new TileId(7, 1));
        var reached = new TaskCompletionSource();
        using var disk = new ManualResetEventSlim();
        var (taken, answered) = (0, 0);
        var slow = writer.AskAsync(_ =>
        {
            reached.SetResult();
            disk.Wait();
            return true;
        });
        await reached.Task;
        while (taken <= ReplicaWriter.WaitingMax
            && writer.Submit(ask, self, _ => Interlocked.Increment(ref answered)))
            taken++;
        disk.Set();
        Assert.True(await slow);
        // The node asks things itself.
        Assert.InRange(taken, ReplicaWriter.WaitingMax - 1_000, ReplicaWriter.WaitingMax);
        await Condition.UntilAsync("all are answered", TimeSpan.FromSeconds(60), () =>
            Task.FromResult(Volatile.Read(ref answered) == taken));
        Assert.Equal(taken, answered);
        Assert.True(writer.Submit(ask, self, _ => { }));
    }

    /// <summary>docs/protocol.md#writers-time.</summary>
    [Fact]
    public async Task Whoever_asks_for_what_takes_long_does_not_hold_up_the_others()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var services = cluster["n1"].Services;
        var (writer, self) = (services.GetRequiredService<ReplicaWriter>(), cluster["n1"].Node.Self.Node);
        var at = services.GetRequiredService<TileDirectory>().At(FreeRows.Slow.Point).At;
        var liar = new NodeId(7, 7);
        var answered = 0;
        for (ulong round = 1; round <= 200; round++)
            Assert.True(writer.Submit(
                new ReplicaRequest.Accept(
                    at, FreeRows.Slow.Name, new(at.Epoch, round, liar, 1), new[] { (byte)round }),
                liar, _ => Interlocked.Increment(ref answered)));
        var own = new TaskCompletionSource<int>();
        Assert.True(writer.Submit(
            new ReplicaRequest.GetConfiguration(at.Tile), self, _ => own.SetResult(Volatile.Read(ref answered))));
        Assert.InRange(await own.Task.WaitAsync(TimeSpan.FromSeconds(60)), 0, 50);
    }
}
