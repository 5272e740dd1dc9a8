using System.ComponentModel;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>A cluster that ./startup.sh started in containers, under names and ports of its own; disposing
/// removes it with its data.</summary>
internal sealed class ContainerCluster : IAsyncDisposable
{
    public const string Client = "chordchat-test-client";
    public const int PagePort = 17480;
    private const string Project = "chordchat-test";
    private readonly string _home = Directory.CreateTempSubdirectory("chordchat-containers-").FullName;

    private ContainerCluster() { }

    public static async Task<ContainerCluster> StartAsync(int nodes)
    {
        await RemoveAsync(); // What an aborted run left.
        var cluster = new ContainerCluster();
        await cluster.StartupAsync("--nodes", $"{nodes}", "--port", "17401", "--page-port", $"{PagePort}");
        var file = ClusterFile.Read(Path.Combine(cluster._home, "run", "nodes.json"));
        Trust = ClusterTrust.FingerprintOf(file.Authority!);
        return cluster;
    }

    /// <summary>The fingerprint of the cluster that was started last.</summary>
    public static string Trust { get; private set; } = "";

    /// <summary>Runs ./startup.sh on this cluster and returns what it printed.</summary>
    public async Task<string> StartupAsync(params string[] arguments)
    {
        var done = await TryStartupAsync(arguments);
        return done.ExitCode == 0
            ? done.Output
            : throw new InvalidOperationException(
                $"startup.sh ended with {done.ExitCode}\n{done.Output}\n{done.Error}");
    }

    /// <summary>As <see cref="StartupAsync"/>, also when it is to fail.</summary>
    public Task<Ended> TryStartupAsync(params string[] arguments) => LocalCluster.RunAsync(
        Path.Combine(LocalCluster.Repository, "startup.sh"), arguments, Environment());

    /// <summary>What a shell in a container prints.</summary>
    public static async Task<string> ShellAsync(string container, string script) =>
        (await DockerAsync("exec", container, "sh", "-c", script)).Trim();

    /// <summary>The container of a service that has one.</summary>
    public static async Task<string> ContainerOfAsync(string service) => Assert.Single(await ListAsync(
        "ps", "--filter", $"label=com.docker.compose.project={Project}", "--filter",
        $"label=com.docker.compose.service={service}", "--format", "{{.Names}}"));

    /// <summary>The node containers' names, which are also their addresses' hosts.</summary>
    public static Task<string[]> NodesAsync() => ListAsync(
        "ps", "--filter", $"label=com.docker.compose.project={Project}", "--filter",
        "label=com.docker.compose.service=node", "--format", "{{.Names}}");

    public static Task KillAsync(string container) => DockerAsync("kill", "--signal", "KILL", container);

    public static bool EngineAnswers()
    {
        try
        {
            using var probe = LocalCluster.Begin("docker", ["version"], new Dictionary<string, string>());
            probe.StandardOutput.ReadToEnd();
            probe.WaitForExit();
            return probe.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // There is no docker program.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync();
        Directory.Delete(_home, recursive: true);
    }

    private static async Task RemoveAsync()
    {
        var ours = $"label=com.docker.compose.project={Project}";
        foreach (var container in await ListAsync("ps", "-aq", "--filter", ours))
            await DockerAsync("rm", "--force", container);
        foreach (var volume in await ListAsync("volume", "ls", "-q", "--filter", ours))
            await DockerAsync("volume", "rm", volume);
        foreach (var network in await ListAsync("network", "ls", "-q", "--filter", ours))
            await DockerAsync("network", "rm", network);
    }

    private static async Task<string[]> ListAsync(params string[] arguments) =>
        (await DockerAsync(arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        var done = await LocalCluster.RunAsync("docker", arguments, new Dictionary<string, string>());
        return done.ExitCode == 0
            ? done.Output
            : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {done.Error}");
    }

    private Dictionary<string, string> Environment() => new()
    {
        ["CHORDCHAT_HOME"] = _home,
        ["COMPOSE_PROJECT_NAME"] = Project,
        ["CHORDCHAT_CLIENT"] = Client,
    };
}
