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
        var dead = Path.Combine(cluster.Home, "chordchat-node");
        File.Copy("/bin/true", dead);
        using var parent = LocalCluster.Begin("bash", ["-c", "\"$0\" & echo $!; exec sleep 300", dead], cluster.Environment());
        try
        {
            var pid = (await parent.StandardOutput.ReadLineAsync())!;
            while (!(await StateAsync(pid)).StartsWith('Z'))
                await Task.Delay(20);
            await File.WriteAllTextAsync(Path.Combine(cluster.Home, "run", "n1.pid"), pid);

            Assert.Contains("n1 ready", await cluster.StartupAsync(), StringComparison.Ordinal);
        }
        finally
        {
            parent.Kill();
        }
    }

    private static async Task<string> StateAsync(string pid) =>
        (await LocalCluster.RunAsync("ps", ["-o", "stat=", "-p", pid], new Dictionary<string, string>())).Output;
}
