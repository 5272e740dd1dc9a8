using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>docs/operations.md#startupsh: what ./startup.sh does when a folder or a disk is not as it was
/// left.</summary>
public sealed class StartupFaultTests
{
    /// <summary>n1 is asked first for an invitation, and cannot answer; later its disk is gone.</summary>
    [Fact]
    public async Task A_node_that_does_not_run_keeps_no_other_from_joining_and_each_name_keeps_its_port()
    {
        await using var cluster = await LocalCluster.StartAsync(3);
        await cluster.StopAsync();
        await File.WriteAllTextAsync(FolderOf(cluster, "n1", "quarantined"), "a copy\n");

        var joined = await cluster.TryStartupAsync("--nodes", "4");

        Assert.Contains("n1 does not run", joined.Output, StringComparison.Ordinal);
        Assert.Contains($"n4 ready at 127.0.0.1:{cluster.Port + 3}", joined.Output, StringComparison.Ordinal);
        Assert.Equal(1, joined.ExitCode);
        Assert.Contains("these nodes do not run, for the reasons above: n1 -", joined.Error, StringComparison.Ordinal);
        Assert.Equal(["n2", "n3", "n4"], await ReadyAsync(cluster));

        Directory.Delete(FolderOf(cluster, "n1"), recursive: true);
        var running = await cluster.TryStartupAsync();
        Assert.True(running.ExitCode == 0, running.Error);
        await cluster.StopAsync();
        await cluster.StartupAsync();
        Assert.EndsWith($":{cluster.Port + 1}", cluster.Address("n2"), StringComparison.Ordinal);
        Assert.EndsWith($":{cluster.Port + 3}", cluster.Address("n4"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_cannot_join_leaves_those_running_that_this_start_has_started()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await cluster.StopAsync();
        File.Delete(Path.Combine(cluster.Home, "cluster", "authority.key"));

        var failed = await cluster.TryStartupAsync("--nodes", "2");

        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("no invitation", failed.Error, StringComparison.Ordinal);
        Assert.Equal(["n1"], await ReadyAsync(cluster));
    }

    /// <summary>What a join that was killed leaves, and copies of a folder, which would be the same node
    /// twice.</summary>
    [Fact]
    public async Task Folders_that_are_not_whole_nodes_of_this_cluster_are_passed_over_and_named()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await cluster.StopAsync();
        Directory.CreateDirectory(FolderOf(cluster, "n2"));
        await File.WriteAllTextAsync(FolderOf(cluster, "n2", "identity.key"), "a key\n");
        foreach (var copy in (string[])["n1.old", "n1 copy", "n9"])
        {
            Directory.CreateDirectory(FolderOf(cluster, copy));
            foreach (var file in Directory.GetFiles(FolderOf(cluster, "n1")))
                File.Copy(file, FolderOf(cluster, copy, Path.GetFileName(file)));
        }

        var started = await cluster.TryStartupAsync();

        Assert.True(started.ExitCode == 0, started.Error);
        var said = Assert.Single(
            started.Output.Split('\n'), line => line.Contains("passed over", StringComparison.Ordinal));
        var named = said[..said.IndexOf(". Not complete", StringComparison.Ordinal)].Split("nodes: ")[1].Split(' ');
        Assert.Equal(["copy", "n1.old", "n1\\", "n2", "n9"], named.Order(StringComparer.Ordinal));
        Assert.Equal(["n1"], await ReadyAsync(cluster));
        Assert.Contains("passed over", await cluster.StatusAsync(), StringComparison.Ordinal);

        // None of them counts, and the name n2 is still to be given out.
        Assert.Contains("n2 ready", await cluster.StartupAsync("--nodes", "2"), StringComparison.Ordinal);
    }

    /// <summary>The folder is a node's, but not complete: that node's own fault.</summary>
    [Fact]
    public async Task A_node_without_its_key_does_not_take_the_others_down()
    {
        await using var cluster = await LocalCluster.StartAsync(3);
        await cluster.StopAsync();
        File.Delete(FolderOf(cluster, "n3", "identity.key"));

        var started = await cluster.TryStartupAsync();

        Assert.Equal(1, started.ExitCode);
        Assert.Contains("n3 does not run", started.Output, StringComparison.Ordinal);
        Assert.Equal(["n1", "n2"], await ReadyAsync(cluster));
    }

    /// <summary>Nothing can be written, as on a full disk; files can still be emptied.</summary>
    [Fact]
    public async Task A_start_on_a_full_disk_forgets_neither_how_the_cluster_runs_nor_its_ports()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var full = new Dictionary<string, string>(cluster.Environment())
        {
            ["DOTNET_EnableWriteXorExecute"] = "0", // Its memory counts as a file.
        };
        var startup = Path.Combine(LocalCluster.Repository, "startup.sh");
        var remembered = await Task.WhenAll(Remembered.Select(name => ReadRunAsync(cluster, name)));
        Assert.DoesNotContain("", remembered);

        // The page is to be started anew, so everything would be written.
        var failed = await LocalCluster.RunAsync(
            "bash", ["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" --local --host-name ring.lan", startup], full);

        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("File too large", failed.Error, StringComparison.Ordinal);
        Assert.Equal(remembered, await Task.WhenAll(Remembered.Select(name => ReadRunAsync(cluster, name))));
        Assert.Equal(["n1"], await ReadyAsync(cluster));
    }

    /// <summary>What was started for the folder under its old name runs on, and nobody else would know of it.</summary>
    [Fact]
    public async Task A_stop_in_a_folder_that_was_moved_names_what_still_runs()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var moved = cluster.Home + "-moved";
        var elsewhere = new Dictionary<string, string>(cluster.Environment()) { ["CHORDCHAT_HOME"] = moved };
        var startup = Path.Combine(LocalCluster.Repository, "startup.sh");
        Directory.Move(cluster.Home, moved);
        try
        {
            var stopped = await LocalCluster.RunAsync(startup, ["stop"], elsewhere);

            Assert.Equal(1, stopped.ExitCode);
            foreach (var name in (string[])["n1", "visualizer"])
            {
                var pid = (await File.ReadAllTextAsync(Path.Combine(moved, "run", $"{name}.pid"))).Trim();
                Assert.Contains($"{name} (pid {pid})", stopped.Error, StringComparison.Ordinal);
                using var process = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture));
                Assert.False(process.HasExited);
            }
        }
        finally
        {
            Directory.Move(moved, cluster.Home);
        }

        Assert.Equal(["n1"], await ReadyAsync(cluster));
        await cluster.StopAsync();
        Assert.Empty(Directory.GetFiles(Path.Combine(cluster.Home, "run"), "*.pid"));
    }

    /// <summary>Clients and the page would trust whoever answers them first.</summary>
    [Fact]
    public async Task Without_the_authority_s_certificate_no_cluster_file_is_written()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var written = await ReadRunAsync(cluster, "nodes.json");
        File.Delete(Path.Combine(cluster.Home, "cluster", "authority.crt"));

        var failed = await cluster.TryStartupAsync();

        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("authority.crt has no certificate", failed.Error, StringComparison.Ordinal);
        Assert.Equal(written, await ReadRunAsync(cluster, "nodes.json"));
        Assert.Equal(["n1"], await ReadyAsync(cluster));
    }

    private static string[] Remembered => ["mode", "port", "places", "visualizer.port", "nodes.json"];

    private static Task<string> ReadRunAsync(LocalCluster cluster, string name) =>
        File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", name));

    private static string FolderOf(LocalCluster cluster, params string[] path) =>
        Path.Combine([cluster.Home, "nodes", .. path]);

    private static async Task<string[]> ReadyAsync(LocalCluster cluster) =>
        [.. (await cluster.StatusAsync()).Split('\n').Where(line => line.EndsWith(" ready", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[0])];
}
