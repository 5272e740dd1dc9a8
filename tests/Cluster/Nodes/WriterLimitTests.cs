using ChordChat.Core.Replication;
using ChordChat.Node.Replication;
using ChordChat.Node.Transport;
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
}
