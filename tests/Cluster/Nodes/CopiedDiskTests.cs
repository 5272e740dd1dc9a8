using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#copied-and-restored-disks, with whole nodes.</summary>
public sealed class CopiedDiskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly RegisterKey Key = FreeRows.Register("somebody");

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_node_on_an_old_copy_of_its_folder_is_refused_and_the_cluster_goes_on(int startsSince)
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await WriteAsync(cluster, "n3");
        await cluster.StopAsync("n3");
        var backup = Copy(cluster.DataOf("n3"));
        for (var i = 0; i < startsSince; i++)
        {
            await StartAndBeSeenAsync(cluster, "n3");
            await cluster.StopAsync("n3");
        }

        Directory.Delete(cluster.DataOf("n3"), recursive: true);
        Directory.Move(backup, cluster.DataOf("n3"));
        var restored = await cluster.StartCopyAsync(cluster.DataOf("n3"));

        await RefusedAsync(cluster, restored, cluster.DataOf("n3"));
        await WriteAsync(cluster, "n1");
        await WriteAsync(cluster, "n2");
    }

    [Fact]
    public async Task A_copy_that_is_started_beside_its_original_is_refused_and_the_original_goes_on()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await WriteAsync(cluster, "n3");
        await cluster.StopAsync("n3");
        var data = Copy(cluster.DataOf("n3"));
        await StartAndBeSeenAsync(cluster, "n3");

        await RefusedAsync(cluster, await cluster.StartCopyAsync(data), data);

        await cluster.SettleAsync();
        await WriteAsync(cluster, "n3");
        AllServe(cluster);
    }

    [Fact]
    public async Task Witnesses_that_were_restarted_meanwhile_still_refuse_an_old_copy()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await cluster.StopAsync("n3");
        var backup = Copy(cluster.DataOf("n3"));
        await StartAndBeSeenAsync(cluster, "n3");
        await Task.WhenAll(cluster.Names.ToArray().Select(cluster.StopAsync));

        Directory.Delete(cluster.DataOf("n3"), recursive: true);
        Directory.Move(backup, cluster.DataOf("n3"));
        await cluster.StartAsync("n1");
        await cluster.StartAsync("n2");
        await RefusedAsync(cluster, await cluster.StartCopyAsync(cluster.DataOf("n3")), cluster.DataOf("n3"));
    }

    [Fact]
    public async Task An_identity_that_others_have_seen_is_refused_without_its_disk()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await WriteAsync(cluster, "n3");
        await cluster.StopAsync("n3");
        foreach (var file in Directory.GetFiles(cluster.DataOf("n3")))
            if (!file.Contains("identity", StringComparison.Ordinal)
                && Path.GetFileName(file) is not (NodeIdentity.SecretFile or GenesisFile.FileName))
                File.Delete(file);

        await RefusedAsync(cluster, await cluster.StartCopyAsync(cluster.DataOf("n3")), cluster.DataOf("n3"));
    }

    [Fact]
    public async Task A_node_that_ran_while_nobody_could_see_it_serves_when_the_others_are_back()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await BeSeenAsync(cluster, "n3");
        await Task.WhenAll(cluster.Names.ToArray().Select(cluster.StopAsync));
        for (var start = 0; start < 3; start++)
        {
            var alone = await cluster.StartAsync("n3");
            await alone.Services.GetRequiredService<DiskGuard>()
                .OpenedAsync(CancellationToken.None).WaitAsync(Patience);
            await cluster.StopAsync("n3");
        }

        foreach (var name in (string[])["n1", "n2", "n3"])
            await cluster.StartAsync(name);
        await cluster.SettleAsync();
        AllServe(cluster);
    }

    [Fact]
    public async Task Nodes_that_are_restarted_one_by_one_or_all_at_once_while_others_write_are_not_refused()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        for (var round = 0; round < 3; round++)
        {
            foreach (var name in cluster.Names.ToArray())
            {
                using var enough = new CancellationTokenSource();
                var writing = KeepWritingAsync(cluster, cluster.Names.First(other => other != name), enough.Token);
                await cluster.StopAsync(name);
                await cluster.StartAsync(name);
                await cluster.SettleAsync();
                await enough.CancelAsync();
                await writing;
            }

            AllServe(cluster);
            var all = cluster.Names.ToArray();
            await Task.WhenAll(all.Select(cluster.StopAsync));
            foreach (var name in all)
                await cluster.StartAsync(name);
            await cluster.SettleAsync();
            AllServe(cluster);
        }
    }

    private static async Task RefusedAsync(NodeCluster cluster, RunningNode node, string data)
    {
        await node.WaitForStopAsync().WaitAsync(Patience);
        var code = Environment.ExitCode;
        Environment.ExitCode = 0; // It is the test run's own.
        Assert.Equal((int)ExitCode.Foreign, code);
        var guard = node.Services.GetRequiredService<DiskGuard>();
        Assert.False(guard.IsOpen);
        Assert.False(guard.OpenedAsync(CancellationToken.None).IsCompleted, "it has served before it was refused");
        await cluster.StopCopyAsync(node);

        var again = Assert.Throws<StartRefusedException>(() => DataFolder.Open(data));
        Assert.Equal(ExitCode.Foreign, again.Code);
        Assert.Contains("copy (a backup, snapshot or clone)", again.Message, StringComparison.Ordinal);
        Assert.Contains("cluster join", again.Message, StringComparison.Ordinal);
    }

    private static async Task StartAndBeSeenAsync(NodeCluster cluster, string name)
    {
        await cluster.StartAsync(name);
        await cluster.SettleAsync();
        await BeSeenAsync(cluster, name);
    }

    private static async Task BeSeenAsync(NodeCluster cluster, string name)
    {
        await WriteAsync(cluster, name);
        var node = cluster[name];
        var others = cluster.Names.Where(other => other != name).ToArray();
        await Condition.UntilAsync($"this start of {name} is seen", Patience, () => Task.FromResult(others.All(
            other => SeenBy(cluster, other, node.Node.Self.Node)?.Incarnation == node.Node.Incarnation)));
    }

    private static DiskSighting? SeenBy(NodeCluster cluster, string witness, NodeId node) =>
        cluster[witness].Services.GetRequiredService<DiskMemory>().Of(node);

    private static void AllServe(NodeCluster cluster)
    {
        foreach (var name in cluster.Names)
        {
            Assert.True(cluster[name].Services.GetRequiredService<DiskGuard>().IsOpen, name);
            Assert.Null(DataFolder.QuarantinedBecause(cluster.DataOf(name)));
        }
    }

    private static async Task WriteAsync(NodeCluster cluster, string at) => Assert.IsType<ChangeOutcome.Stored>(
        await cluster.Registers(at).ChangeAsync(Key, _ => Encoding.ASCII.GetBytes(at), CancellationToken.None));

    private static async Task KeepWritingAsync(NodeCluster cluster, string at, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
            await cluster.Registers(at).ChangeAsync(Key, _ => Encoding.ASCII.GetBytes(at), CancellationToken.None);
    }

    private static string Copy(string folder)
    {
        var copy = folder + "-copy";
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(folder))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }
}
