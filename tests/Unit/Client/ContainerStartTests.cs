using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/operations.md, "A start that fails stops what it started": <c>./startup.sh</c> with containers, and a
/// stand-in for <c>docker</c> that has a file for each container that runs.</summary>
public sealed class ContainerStartTests : IDisposable
{
    /// <summary>Each file is named like the container and holds its id; "before" begins like one that ran before. The
    /// start of A fails as soon as there is a file "fail", that of B works.</summary>
    private const string Docker = """
        #!/bin/bash
        case "$1 $*" in
          *' up '*)
            touch "$FOLDER/running/$WHO"
            [[ $WHO == A ]] || exit 0
            echo anew > "$FOLDER/running/before-1" # From the image that was just built.
            touch "$FOLDER/running/before" "$FOLDER/up-A"
            while [[ ! -e $FOLDER/fail ]]; do sleep 0.05; done
            exit 1 ;;
          *' run '*) echo 3 ;;
          compose*' stop') rm -f "$FOLDER"/running/* ;;
          inspect*StartedAt*) echo 2026-01-01T00:00:00Z ;;
          inspect*) cat "$FOLDER/state" ;;
          logs*) cat "$FOLDER/log" ;;
          ps*' -q '*) cat "$FOLDER"/running/* ;;
          ps*service=visualizer*) [[ -e $FOLDER/no-page ]] || ls "$FOLDER/running" ;;
          ps*) ls "$FOLDER/running" ;;
          exec*/tmp/drained*) exit 1 ;;
          exec*ready*)
            touch "$FOLDER/asked"
            [[ ! -e $FOLDER/unready ]] || exit 10
            echo ready ;;
          exec*node-folder*) cat "$FOLDER/says" ;;
          port*) echo 127.0.0.1:7401 ;;
          exec*) echo YWJj ;;
          stop*) rm -f "$FOLDER/running/$2" ;;
        esac
        """;

    private readonly string _folder = Path.Combine(
        Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    public ContainerStartTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "run"));
        Directory.CreateDirectory(Path.Combine(_folder, "running"));
        File.WriteAllText(Path.Combine(_folder, "run/mode"), "containers");
        File.WriteAllText(Path.Combine(_folder, "state"), "running 0");
        File.WriteAllText(Path.Combine(_folder, "log"), "The ring is at http://localhost:7480\n");
        var file = Path.Combine(_folder, "docker");
        File.WriteAllText(file, Docker);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_start_that_fails_stops_nothing_that_another_one_has_started()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/flock"))
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        File.WriteAllText(Path.Combine(_folder, "running/before-1"), "id");
        using var first = Start("A");
        while (!File.Exists(Path.Combine(_folder, "up-A")))
            await Task.Delay(20, patience.Token);
        using var second = Start("B");
        var said = await SaysAsync(second, "waiting for it", patience.Token); // Or it is done.
        File.WriteAllText(Path.Combine(_folder, "fail"), "");
        await first.WaitForExitAsync(patience.Token);
        said += await second.StandardOutput.ReadToEndAsync(patience.Token)
            + await second.StandardError.ReadToEndAsync(patience.Token);
        await second.WaitForExitAsync(patience.Token);

        Assert.Equal(1, first.ExitCode);
        Assert.True(second.ExitCode == 0, said);
        Assert.Equal(["B", "before-1"], Directory.GetFiles(Path.Combine(_folder, "running"))
            .Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.Contains("waiting for it", said, StringComparison.Ordinal);
    }

    /// <summary>A container may say anything: here a second node in the file that clients read.</summary>
    [Theory]
    [InlineData("n1", "n1")]
    [InlineData("""n1","address":"127.0.0.1:1"},{"name":"n2""", "-")]
    [InlineData("n1\nn2", "-")]
    [InlineData("n1\u001b[2J", "-")]
    [InlineData("", "-")]
    public async Task What_is_no_name_is_not_taken_from_a_container(string says, string name)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        File.WriteAllText(Path.Combine(_folder, "says"), says);
        using var start = Start("B");
        var said = await start.StandardOutput.ReadToEndAsync(patience.Token);
        await start.WaitForExitAsync(patience.Token);

        Assert.Equal(0, start.ExitCode);
        Assert.Contains($"  {name} ready at 127.0.0.1:7401 (B)\n", said, StringComparison.Ordinal);
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run/nodes.json")));
        Assert.Equal(name, Assert.Single(
            file.RootElement.GetProperty("nodes").EnumerateArray(),
            node => node.GetProperty("address").GetString() == "127.0.0.1:7401"
                && node.GetProperty("name").GetString() == name).GetProperty("name").GetString());
        Assert.All(
            File.ReadLines(Path.Combine(_folder, "run/containers")), line => Assert.EndsWith($" {name}", line));
    }

    /// <summary>docs/operations.md, "startup.sh": a name under which the page does not start is not the next start's
    /// default.</summary>
    [Fact]
    public async Task A_start_whose_page_does_not_run_says_why_and_fails()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        File.WriteAllText(Path.Combine(_folder, "state"), "restarting 4");
        File.WriteAllText(Path.Combine(_folder, "log"), "the page cannot run\n");
        using var start = Start("B", "--host-name", "ring.lan");
        var said = await start.StandardError.ReadToEndAsync(patience.Token);
        await start.WaitForExitAsync(patience.Token);

        Assert.Equal(1, start.ExitCode);
        Assert.Contains("the page cannot run", said, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "run/host-names")));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "running")));
    }

    /// <summary>docs/operations.md, "startup.sh": nodes that are not ready are left to an operator only by a start that
    /// has waited for them.</summary>
    [Fact]
    public async Task A_start_that_is_interrupted_while_it_waits_for_nodes_stops_what_it_started()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        File.WriteAllText(Path.Combine(_folder, "unready"), "");
        using var start = Start("B");
        while (!File.Exists(Path.Combine(_folder, "asked")))
            await Task.Delay(20, patience.Token);
        Process.Start("kill", ["-TERM", $"{start.Id}"]).WaitForExit();
        await start.WaitForExitAsync(patience.Token);

        Assert.Equal(143, start.ExitCode);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "running")));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task The_status_of_a_cluster_without_a_page_is_not_0(bool isMissing, int code)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        File.WriteAllText(Path.Combine(_folder, "running/B"), "id");
        File.WriteAllText(Path.Combine(_folder, "says"), "n1");
        File.WriteAllText(Path.Combine(_folder, "state"), "running 0 false\n");
        if (isMissing)
            File.WriteAllText(Path.Combine(_folder, "no-page"), "");
        using var status = Start("B", "status");
        var said = await status.StandardOutput.ReadToEndAsync(patience.Token);
        await status.WaitForExitAsync(patience.Token);

        Assert.True(code == status.ExitCode, said);
        Assert.Equal(isMissing, said.Contains("visualizer", StringComparison.Ordinal));
    }

    /// <summary>docs/operations.md, "In containers": both ways to start mean the same cluster.</summary>
    [Theory]
    [InlineData(true, 0, "stopped; data stays")]
    [InlineData(false, 1, "no cluster here yet")]
    public async Task What_compose_has_started_is_stopped_too(bool runs, int code, string says)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        Directory.Delete(Path.Combine(_folder, "run"), recursive: true);
        if (runs)
            File.WriteAllText(Path.Combine(_folder, "running/chordchat_node_1"), "id");
        using var stop = Start("B", "stop");
        var said = await stop.StandardOutput.ReadToEndAsync(patience.Token)
            + await stop.StandardError.ReadToEndAsync(patience.Token);
        await stop.WaitForExitAsync(patience.Token);

        Assert.True(code == stop.ExitCode, said);
        Assert.Contains(says, said, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "running")));
    }

    private static async Task<string> SaysAsync(Process process, string text, CancellationToken patience)
    {
        var said = "";
        while (!said.Contains(text, StringComparison.Ordinal)
            && await process.StandardOutput.ReadLineAsync(patience) is { } line)
            said += line + "\n";
        return said;
    }

    private Process Start(string who, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "/bin/bash",
            [Path.Combine(Repository.Root, "startup.sh"), "--port", "39000", "--page-port", FreePort(), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder}:{start.Environment["PATH"]}";
        start.Environment["CHORDCHAT_HOME"] = _folder;
        start.Environment["FOLDER"] = _folder;
        start.Environment["WHO"] = who;
        return Process.Start(start)!;
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
