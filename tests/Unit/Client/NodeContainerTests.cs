using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/operations.md, "Stopping a node": what a container does whose node was drained. docker/node.sh has the
/// folders of a container below a folder of this test, and a stand-in for the node's program.</summary>
public sealed partial class NodeContainerTests : IDisposable
{
    private const string Host = "c0ffee";

    private readonly string _folder = Path.Combine(
        Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    private readonly List<Process> _started = [];

    public NodeContainerTests()
    {
        foreach (var name in new[] { "data", "tmp", "public", "page", "authority/cluster" })
            Directory.CreateDirectory(Path.Combine(_folder, name));
        Write("authority/cluster/cluster.json", "{}");
        Write("authority/cluster/authority.crt", "YWJj\n");
        var script = File.ReadAllText(Path.Combine(Repository.Root, "docker/node.sh"));
        Write("node.sh", Roots().Replace(script, root => _folder + root.Value));
        Write("chordchat-node", "#!/bin/bash\necho \"$*\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(
                Path.Combine(_folder, "chordchat-node"),
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_container_takes_no_node_that_was_drained()
    {
        if (!CanRun)
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        MakeNode("n1", runner: Host, drained: true);
        MakeNode("n2", runner: "another"); // It may only be slow to start.
        MakeNode("n3", runner: "");
        File.Delete(Path.Combine(_folder, "data/nodes/n3/runner"));
        var container = Start("run");

        Assert.StartsWith(
            $"run --data {_folder}/data/nodes/n3 ", await container.StandardOutput.ReadLineAsync(patience.Token));
        await container.WaitForExitAsync(patience.Token);
    }

    /// <summary>The engine would start it again for ever if it ended; and if it asked for a new node, the one that its
    /// operator has just let go would be replaced.</summary>
    [Fact]
    public async Task A_container_whose_node_was_drained_says_so_and_waits()
    {
        if (!CanRun)
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        MakeNode("n1", runner: Host, drained: true);
        var container = Start("run");
        Assert.Contains(
            "n1 was drained", await container.StandardOutput.ReadLineAsync(patience.Token), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "data/waiting")));
        var healthy = Start("healthy");
        await healthy.WaitForExitAsync(patience.Token);
        Assert.Equal(0, healthy.ExitCode);

        File.Delete(Path.Combine(_folder, "data/nodes/n1/drained"));
        Assert.StartsWith(
            $"run --data {_folder}/data/nodes/n1 ", await container.StandardOutput.ReadLineAsync(patience.Token));
        await container.WaitForExitAsync(patience.Token);
    }

    [Fact]
    public async Task A_start_does_not_count_nodes_that_were_drained()
    {
        if (!CanRun)
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        MakeNode("n1", runner: Host, drained: true);
        MakeNode("n2", runner: "another");
        var admission = Start("init", "2");
        Assert.Equal("1", (await admission.StandardOutput.ReadToEndAsync(patience.Token)).Trim());
        await admission.WaitForExitAsync(patience.Token);
    }

    private static bool CanRun => OperatingSystem.IsLinux() && File.Exists("/usr/bin/flock");

    private void MakeNode(string name, string runner, bool drained = false)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "data/nodes", name));
        Write($"data/nodes/{name}/cluster.json", "{}");
        Write($"data/nodes/{name}/runner", runner + "\n");
        if (drained)
            Write($"data/nodes/{name}/drained", "this node has gone for good\n");
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/bash", [Path.Combine(_folder, "node.sh"), .. arguments])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = $"{_folder}:{start.Environment["PATH"]}";
        start.Environment["HOSTNAME"] = Host;
        var process = Process.Start(start)!;
        _started.Add(process);
        return process;
    }

    /// <summary>What stands in the script for a volume or for /tmp.</summary>
    [GeneratedRegex(@"(?<![\w}*])/(tmp|data|public|page|authority)\b")]
    private static partial Regex Roots();
}
