using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>What ./startup.sh takes for a running node.</summary>
public sealed class StartupTests
{
    private static bool HasFlock => File.Exists("/usr/bin/flock");

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

    /// <summary>As a person reads them: in tens, and none too large to be too large.</summary>
    [Theory]
    [InlineData("--nodes 08", "unknown option or command '--nothing'")]
    [InlineData("--nodes 065", "--nodes must be 1 to 64")]
    [InlineData("--nodes 00", "--nodes must be 1 to 64")]
    [InlineData("--nodes 18446744073709551617", "--nodes must be 1 to 64")]
    [InlineData("--replicas 09", "--replicas must be 0 to 6")]
    [InlineData("--replicas 006", "unknown option or command '--nothing'")]
    [InlineData("--port 08080", "unknown option or command '--nothing'")]
    [InlineData("--port 18446744073709559017", "--port must be 1 to 65535")]
    [InlineData("--page-port 0", "--page-port must be 1 to 65535")]
    [InlineData("--page-port 1x", "--page-port needs a whole number, not '1x'")]
    public async Task A_number_is_read_as_a_person_reads_it(string options, string answer)
    {
        var home = Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));
        var refused = await LocalCluster.RunAsync(
            Path.Combine(LocalCluster.Repository, "startup.sh"), [.. options.Split(' '), "--nothing"],
            new Dictionary<string, string> { ["CHORDCHAT_HOME"] = home });
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith($"startup: {answer}", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_under_a_remembered_number_is_neither_killed_nor_in_the_way()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var run = Path.Combine(cluster.Home, "run");
        var began = await File.ReadAllTextAsync(Path.Combine(run, "n1.start"));
        await cluster.StopAsync();
        // Its arguments are those of the node, so only the time of its start tells it from the node.
        using var stranger = LocalCluster.Begin(
            "bash", ["-c", "sleep 300; :", $"{LocalCluster.NodeProgram} run --data {cluster.Home}/nodes/n1 --listen x"],
            cluster.Environment());
        try
        {
            foreach (var name in (string[])["n1", "visualizer"])
                await File.WriteAllTextAsync(Path.Combine(run, $"{name}.pid"), $"{stranger.Id}\n");
            await File.WriteAllTextAsync(Path.Combine(run, "n1.start"), began);

            Assert.Contains("n1 ready", await cluster.StartupAsync(), StringComparison.Ordinal);
            await cluster.StopAsync();
            await File.WriteAllTextAsync(Path.Combine(run, "n1.pid"), $"{stranger.Id}\n");
            await cluster.StopAsync();

            Assert.False(stranger.HasExited, "stop killed a process that was never the node");
        }
        finally
        {
            stranger.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public async Task A_taken_port_stops_the_start_before_it_began_and_another_port_helps()
    {
        await using var cluster = LocalCluster.Prepare();
        using (var node = Take(cluster.Port + 1))
        using (var page = Take(cluster.PagePort))
        {
            var refused = await cluster.TryStartupAsync("--nodes", "2");

            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains($"{cluster.Port + 1}  ", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"{cluster.PagePort}  ", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"(pid {Environment.ProcessId})", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"type: CHORDCHAT_HOME={cluster.Home} ", refused.Error, StringComparison.Ordinal);
            Assert.Contains("./startup.sh --port ", refused.Error, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(Path.Combine(cluster.Home, "run"), "*.pid"));
            Assert.False(File.Exists(Path.Combine(cluster.Home, "run", "port")), "a port that never worked was kept");

            // As an earlier version left it.
            await File.WriteAllTextAsync(Path.Combine(cluster.Home, "run", "port"), $"{cluster.Port + 1}\n");
            var elsewhere = await cluster.TryStartupAsync(
                "--nodes", "2", "--port", $"{cluster.Port + 4}", "--page-port", $"{cluster.PagePort - 1}");
            Assert.True(elsewhere.ExitCode == 0, elsewhere.Error);
        }

        Assert.EndsWith($":{cluster.Port + 5}", cluster.Address("n2"), StringComparison.Ordinal);
        await cluster.StopAsync();
        var again = await LocalCluster.RunAsync(
            Path.Combine(LocalCluster.Repository, "startup.sh"), ["--local"], cluster.Environment());
        Assert.Contains($"n1 ready at 127.0.0.1:{cluster.Port + 4}", again.Output, StringComparison.Ordinal);
    }

    /// <summary>docs/operations.md#the-same-at-all-nodes.</summary>
    [Fact]
    public async Task A_node_that_is_added_gets_the_settings_of_those_that_run_and_hints_name_the_cluster()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await cluster.StopAsync();
        await File.WriteAllTextAsync(
            Path.Combine(cluster.Home, "nodes", "n1", "appsettings.json"),
            """{ "Chat": { "Registration": "Closed" } }""");

        var said = await cluster.StartupAsync("--nodes", "2");

        Assert.Contains("Chat:Registration Closed", said, StringComparison.Ordinal);
        foreach (var hint in (string[])["./chordchat", "./startup.sh stop"])
            Assert.Matches($"CHORDCHAT_HOME={Regex.Escape(cluster.Home)} .*{Regex.Escape(hint)}", said);
        var alice = new Person(cluster, "alice");
        foreach (var node in (string[])["n1", "n2"])
            (await alice.RunAsync(["register", "alice"], node)).ShouldRefuse("registration_closed");
    }

    [Fact]
    public async Task More_copies_than_a_cluster_can_have_are_refused_before_anything_is_made()
    {
        await using var cluster = LocalCluster.Prepare();

        var refused = await cluster.TryStartupAsync("--nodes", "9", "--replicas", "7");

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("--replicas must be 0 to 6", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(cluster.Home, "cluster")));
    }

    /// <summary>docs/operations.md#startupsh.</summary>
    [Fact]
    public async Task Two_starts_at_once_make_one_cluster_and_the_second_says_that_it_waits()
    {
        if (!HasFlock)
            return;
        await using var cluster = LocalCluster.Prepare();
        using var first = cluster.BeginStartup("--nodes", "1");
        var said = await first.StandardOutput.ReadLineAsync(); // It is at work, and needs seconds more.
        var second = cluster.TryStartupAsync("--nodes", "1");
        said += await first.StandardOutput.ReadToEndAsync();
        var made = await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "n1.pid"));
        var page = await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "visualizer.pid"));

        await first.WaitForExitAsync();
        Assert.True(first.ExitCode == 0, said + await first.StandardError.ReadToEndAsync());
        var ended = await second;
        Assert.True(ended.ExitCode == 0, ended.Error);
        Assert.StartsWith(
            "another ./startup.sh is working on this cluster; waiting for it", ended.Output, StringComparison.Ordinal);
        Assert.Equal(made, await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "n1.pid")));
        Assert.Equal(page, await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "visualizer.pid")));
        Assert.Contains($"pid {made.Trim()}", await cluster.StatusAsync(), StringComparison.Ordinal);
        Assert.Single(
            File.ReadLines(Path.Combine(cluster.Home, "run", "n1.log")),
            line => line.Contains("n1 answers at", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_start_that_fails_half_way_stops_what_it_started_and_leaves_what_ran()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var first = await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "n1.pid"));
        await cluster.StartupAsync("--nodes", "2");
        await cluster.KillAsync("n2");
        // A node that ends at once, as one whose port is taken between the look and the start.
        var settings = Path.Combine(cluster.Home, "nodes", "n2", "appsettings.json");
        await File.WriteAllTextAsync(settings, """{ "preset": "nonsense" }""");
        var failed = await cluster.TryStartupAsync();

        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("n2 stopped", failed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(cluster.Home, "run", "n2.pid")));
        Assert.Contains($"pid {first.Trim()}", await cluster.StatusAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_names_who_is_online_to_its_own_address_only_and_nodes_to_nobody_else()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        var alice = new Person(cluster, "alice");
        await alice.RegisterAsync("n1");
        await using var online = alice.Start(["tail"], "n1");

        await UntilShownAsync(cluster, "alice");
        using var http = new HttpClient();
        using var bent = new HttpRequestMessage(HttpMethod.Get, $"{cluster.Page}/feed");
        bent.Headers.Host = "evil.example";
        using var refused = await http.SendAsync(bent, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, refused.StatusCode);
        Assert.Contains("--host-name", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // The same page without its certificate.
        File.Delete(Path.Combine(cluster.Home, "run", "page", "viewer.key"));
        File.Delete(Path.Combine(cluster.Home, "cluster", "authority.key"));
        var again = await cluster.TryStartupAsync("--host-name", "ring.lan");
        Assert.Contains("numbers only", again.Output, StringComparison.Ordinal);
        await UntilShownAsync(cluster, "");
    }

    /// <summary>Waits until the page counts one person, and names this one ("" for none).</summary>
    private static async Task UntilShownAsync(LocalCluster cluster, string name)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var node = (await cluster.ReadPageAsync()).GetProperty("nodes")[0];
            if (node.GetProperty("sessions").GetInt32() == 1)
            {
                Assert.Equal(name, string.Join(' ', node.GetProperty("users").EnumerateArray()));
                return;
            }

            await Task.Delay(200, limit.Token);
        }
    }

    /// <summary>Somebody else takes the page's port between the look at the ports and the page's own start.</summary>
    [Fact]
    public async Task A_stranger_at_the_page_s_port_is_not_announced_as_the_page()
    {
        await using var cluster = LocalCluster.Prepare();
        using var start = cluster.BeginStartup("--nodes", "1");
        var said = "";
        while (!said.StartsWith("cluster ", StringComparison.Ordinal)) // The ports have been looked at.
            said = await start.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("it ended");
        using (var stranger = Take(cluster.PagePort))
        {
            said += await start.StandardOutput.ReadToEndAsync();
            var error = await start.StandardError.ReadToEndAsync();
            await start.WaitForExitAsync();

            Assert.DoesNotContain("look at the ring", said, StringComparison.Ordinal);
            Assert.Equal(1, start.ExitCode);
            Assert.Contains("the page stopped", error, StringComparison.Ordinal);
        }

        Assert.Contains("look at the ring", await cluster.StartupAsync("--nodes", "1"), StringComparison.Ordinal);
    }

    private static TcpListener Take(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        return listener;
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
