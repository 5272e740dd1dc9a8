using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>What ./startup.sh takes for a running node.</summary>
public sealed class StartupTests
{
    [Fact]
    public async Task A_dead_node_whose_parent_has_not_noticed_is_started_again()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await cluster.StopAsync();
        var program = Path.Combine(cluster.Home, "chordchat-node");
        File.Copy("/bin/sleep", program);
        // A parent that never waits for its child: a shell would.
        using var parent = LocalCluster.Begin(
            "bash", ["-c", "\"$0\" 300 & echo $!; exec sleep 300", program], cluster.Environment());
        try
        {
            var pid = int.Parse((await parent.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
            await UntilAsync(parent.Id, "args=", "sleep");
            using (var node = Process.GetProcessById(pid))
                node.Kill();
            await UntilAsync(pid, "stat=", "Z");
            await File.WriteAllTextAsync(Path.Combine(cluster.Home, "run", "n1.pid"), $"{pid}");

            Assert.Contains("n1 ready", await cluster.StartupAsync(), StringComparison.Ordinal);
        }
        finally
        {
            parent.Kill();
        }
    }

    /// <summary>Waits until what ps says of a process begins so.</summary>
    private static async Task UntilAsync(int pid, string column, string start)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var said = await LocalCluster.RunAsync(
                "ps", ["-o", column, "-p", $"{pid}"], new Dictionary<string, string>());
            if (said.Output.StartsWith(start, StringComparison.Ordinal))
                return;
            await Task.Delay(20, limit.Token);
        }
    }
}
