using ChordChat.Core.Tiles;
using ChordChat.Node;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Tests.Cluster.Admission;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md#near-and-far: what the word in a node's file means for what goes by it.</summary>
public sealed class PresetTests
{
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData("lan", 0.4, 15, 45, 15, 8)]
    [InlineData("wan", 2, 120, 120, 60, 1)]
    public async Task A_node_goes_by_its_preset_and_by_what_stands_beside_it(
        string preset, double probe, int refuses, int silent, int newcomer, int copied)
    {
        await using var cluster = Founded.Of(1);
        var data = cluster.Cluster.NodeFolder("n1");
        await File.WriteAllTextAsync(Path.Combine(data, "appsettings.json"), $$"""
            {
              "preset": "{{preset}}", "listen": "127.0.0.1:0", "multicast": false, "log-level": "Error",
              "Membership": { "HelperCount": 5 }, "Replication": { "ScanRowsMax": 99 }
            }
            """);
        var settings = NodeSettings.Layer(data, new Dictionary<string, string?>());
        var problems = new List<string>();
        var options = NodeSettings.Read(data, settings, problems);
        Assert.Empty(problems);

        await using var node = await RunningNode.StartAsync(options, settings, CancellationToken.None);

        var members = node.Services.GetRequiredService<RingDriver>().Now.Membership.Options;
        Assert.Equal(TimeSpan.FromSeconds(probe), members.ProbeTimeout);
        Assert.Equal(TimeSpan.FromSeconds(refuses), members.DeadAfter);
        Assert.Equal(TimeSpan.FromSeconds(silent), members.SilentDeadAfter);
        Assert.Equal(TimeSpan.FromSeconds(newcomer), members.Quarantine);
        Assert.Equal(5, members.HelperCount);
        var copying = node.Services.GetRequiredService<CoordinatorOptions>();
        Assert.Equal(copied * MiB, copying.CopyBytesPerSecond);
        Assert.Equal(99, copying.ScanRowsMax);
    }
}
