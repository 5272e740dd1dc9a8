using Xunit;

namespace ChordChat.Tests.Unit.Scripts;

/// <summary>docs/operations.md#startupsh: folders, options that are kept, and what ends a start.</summary>
public sealed class StartupScriptTests
{
    [Fact]
    public async Task Another_spelling_of_the_data_folder_means_the_same_cluster()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        Directory.CreateSymbolicLink(cluster["link"], cluster.Folder);
        // The folder is not there yet.
        var made = await cluster.StartupAtAsync(cluster["link/home/"], "--nodes", "1");
        Assert.True(made.Code == 0, $"{made}");
        var pid = cluster.Kept("n1.pid");

        foreach (var home in (string[])["/home/", "/home", "//home", "/home/../home/.", "/link/home"])
        {
            var status = await cluster.StartupAtAsync(cluster.Folder + home, "status");
            Assert.True(status.Code == 0, $"{home}: {status}");
            var started = await cluster.StartupAtAsync(cluster.Folder + home);
            Assert.True(started.Code == 0, $"{home}: {started}");
            Assert.Equal(pid, cluster.Kept("n1.pid"));
        }

        var stopped = await cluster.StartupAtAsync(cluster["home//"], "stop");
        Assert.True(stopped.Code == 0, $"{stopped}");
        Assert.Empty(cluster.Running());
    }

    [Fact]
    public async Task Lan_is_kept_for_the_next_start_until_no_lan()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        async Task<Said> StartAsync(params string[] words)
        {
            var said = await cluster.StartupAsync(words);
            Assert.True(said.Code == 0, $"{said}");
            return said;
        }

        await StartAsync("--nodes", "1", "--lan");
        await cluster.StartupAsync("stop");
        Assert.DoesNotContain("stay as they are", (await StartAsync()).Output, StringComparison.Ordinal);
        var running = await StartAsync("--no-lan");
        Assert.Contains("nodes that run stay as they are", running.Output, StringComparison.Ordinal);
        await cluster.StartupAsync("stop");
        await StartAsync();

        Assert.Equal(
            ["0.0.0.0", "0.0.0.0", "127.0.0.1"], await File.ReadAllLinesAsync(cluster["home/nodes/n1/listened"]));
    }

    /// <summary>Only what has worked is kept.</summary>
    [Fact]
    public async Task Lan_is_not_kept_of_a_start_that_failed()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        var failed = await cluster.StartupAsync("--lan", "--nodes", "1", "--page-port", $"{cluster.Port}");
        Assert.Equal(1, failed.Code);
        var started = await cluster.StartupAsync("--nodes", "1");
        Assert.True(started.Code == 0, $"{started}");
        Assert.Equal(["127.0.0.1"], await File.ReadAllLinesAsync(cluster["home/nodes/n1/listened"]));
    }

    [Theory]
    [InlineData("startup.sh", "no cluster here yet")]
    [InlineData("chordchat", "the client runs")]
    public async Task A_script_finds_its_folder_behind_links_and_with_a_search_path(string script, string says)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        cluster.Write($"tree/{script}", await File.ReadAllTextAsync(Path.Combine(Repository.Root, script)));
        cluster.Write("tree/artifacts/bin/chordchat", "#!/bin/bash\necho 'the client runs'\n");
        Directory.CreateDirectory(cluster["tree/docker"]);
        foreach (var part in Directory.GetFiles(Path.Combine(Repository.Root, "docker"), "*.sh"))
            File.Copy(part, Path.Combine(cluster["tree/docker"], Path.GetFileName(part)));
        Directory.CreateDirectory(cluster["links/far"]);
        Directory.CreateSymbolicLink(cluster["near"], "links/far"); // Above it is links, not this folder.
        File.CreateSymbolicLink(cluster["links/far/second"], $"../../tree/{script}");
        File.CreateSymbolicLink(cluster["first"], "near/second");

        foreach (var path in (string[])["first", $"tree/{script}"])
        {
            var said = await cluster.RunAsync(
                new() { ["CHORDCHAT_BUILT"] = "", ["CHORDCHAT_HOME"] = "", ["CDPATH"] = cluster.Folder },
                path, "--local", "status");
            Assert.Contains(says, said.Output + said.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("No such file", said.Error, StringComparison.Ordinal);
        }
    }
}
