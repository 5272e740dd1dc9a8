using ChordChat.Visualizer.Hosting;
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

    [Fact]
    public async Task A_name_that_the_page_refuses_stops_and_keeps_nothing()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        var started = await cluster.StartupAsync("--nodes", "1", "--host-name", "ring.lan");
        Assert.True(started.Code == 0, $"{started}");
        var page = cluster.Kept("visualizer.pid");

        var refused = await cluster.StartupAsync("--host-name", "ring.lan:8443");

        Assert.Equal(1, refused.Code);
        Assert.Contains("without a port, like ring.lan", refused.Error, StringComparison.Ordinal);
        Assert.Equal(page, cluster.Kept("visualizer.pid"));
        Assert.Equal("ring.lan", cluster.Kept("host-names"));
        Assert.Equal(2, cluster.Running().Count);
    }

    [Theory]
    [InlineData("ring.lan")]
    [InlineData("RING-1.lan.")]
    [InlineData("my_ring")]
    [InlineData("ring-")]
    [InlineData("10.0.0.5")]
    [InlineData("r\u00f6ng.lan")]
    [InlineData("::1")]
    [InlineData("[fe80::12]")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("::ffff:10.0.0.5")]
    [InlineData("1::")]
    [InlineData("::")]
    [InlineData("::2:3:4:5:6:7:8")]
    [InlineData("1:2:3:4:5:6:7::")]
    [InlineData("1:2:3::5:6:7:8")]
    [InlineData("1:2:3:4::5:6:7:8")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("12345:6:7:8:9:a:b:c")]
    [InlineData("ring.lan:8443")]
    [InlineData("cafe:8443")]
    [InlineData("10.0.0.5:8443")]
    [InlineData("[::1]:8443")]
    [InlineData("[::1")]
    [InlineData("[ring.lan]")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1::2::3")]
    [InlineData(":::")]
    [InlineData("12345::")]
    [InlineData("http://ring.lan")]
    [InlineData("ring.lan/")]
    [InlineData("-ring")]
    [InlineData("_ring")]
    [InlineData("ring..lan")]
    [InlineData(".")]
    [InlineData("*")]
    [InlineData("ring.lan?")]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc")]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd")]
    public async Task A_name_is_refused_when_the_page_would_refuse_it(string name)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        var said = await cluster.StartupAsync("--host-name", name, "status");
        var isRefused = said.Error.Contains("--host-name is", StringComparison.Ordinal);
        Assert.True(isRefused || said.Error.Contains("no cluster here yet", StringComparison.Ordinal), $"{said}");
        Assert.Equal(new VisualizerOptions { HostNames = [name] }.Problems().Any(), isRefused);
    }

    /// <summary>As <c>./startup.sh --local | head -1</c>.</summary>
    [Fact]
    public async Task A_start_that_nobody_listens_to_any_more_stops_what_it_started()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var cluster = new StandInCluster();
        await File.WriteAllTextAsync(cluster["hold"], "");
        var said = await StandInCluster.EndAsync(cluster.Begin(
            new() { ["CHORDCHAT_HOME"] = cluster.Home }, "/bin/bash", "-c", """
                "$@" | { read -r line; exec <&-; touch "$FOLDER/gone"; }
                exit "${PIPESTATUS[0]}"
                """,
            "bash", StandInCluster.Startup, "--local", "--nodes", "2", "--port", $"{cluster.Port}",
            "--page-port", $"{cluster.Port + 15}"));

        Assert.Equal(141, said.Code);
        Assert.Contains("is stopped again: n1 n2", said.Error, StringComparison.Ordinal);
        Assert.Empty(cluster.Running());
        Assert.Empty(Directory.GetFiles(Path.Combine(cluster.Home, "run"), "*.pid"));
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
