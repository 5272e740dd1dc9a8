using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace ChordChat.Tests.EndToEnd;

/// <summary>A cluster that ./startup.sh --local started in a temporary folder; disposing stops and deletes
/// it.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private const int PortsEach = 16;

    private static int _lastPort = 17_000 + (System.Environment.ProcessId % 100 * 32);

    private LocalCluster() { }

    public static string Repository { get; } = FindRepository();

    /// <summary>The node program that ./startup.sh built; there once any cluster has been started.</summary>
    public static string NodeProgram { get; } = Path.Combine(
        System.Environment.GetEnvironmentVariable("CHORDCHAT_BUILT") ?? Path.Combine(Repository, "artifacts", "bin"),
        "chordchat-node");

    public string Home { get; } = Directory.CreateTempSubdirectory("chordchat-e2e-").FullName;

    /// <summary>A folder and ports only, for a cluster that is not what ./startup.sh makes.</summary>
    public static LocalCluster Prepare() => new();

    public static async Task<LocalCluster> StartAsync(int nodes, params string[] options)
    {
        var cluster = new LocalCluster();
        await cluster.StartupAsync(["--nodes", $"{nodes}", .. options]);
        return cluster;
    }

    /// <summary>Runs ./startup.sh on this cluster: starts what does not run.</summary>
    public async Task<string> StartupAsync(params string[] options)
    {
        var done = await TryStartupAsync(options);
        return done.ExitCode == 0
            ? done.Output
            : throw new InvalidOperationException(
                $"startup.sh ended with {done.ExitCode}\n{done.Output}\n{done.Error}\n{Logs()}");
    }

    /// <summary>As <see cref="StartupAsync"/>, also when it is to fail. Options given later win.</summary>
    public Task<Ended> TryStartupAsync(params string[] options) => RunAsync(
        Path.Combine(Repository, "startup.sh"), ToStart(options), Environment());

    /// <summary>As <see cref="TryStartupAsync"/>, to watch while it runs.</summary>
    public Process BeginStartup(params string[] options) => Begin(
        Path.Combine(Repository, "startup.sh"), ToStart(options), Environment());

    /// <summary>What ./startup.sh status prints.</summary>
    public async Task<string> StatusAsync() =>
        (await RunAsync(Path.Combine(Repository, "startup.sh"), ["status"], Environment())).Output;

    public string Address(string node) => File.ReadAllText(Path.Combine(Home, "nodes", node, "address")).Trim();

    public IReadOnlyList<string> Nodes =>
        [.. Directory.GetDirectories(Path.Combine(Home, "nodes")).Select(folder => Path.GetFileName(folder)!).Order()];

    public string Page => $"http://localhost:{PagePort}";

    /// <summary>The port of the first node; the others' and the page's follow it.</summary>
    public int Port { get; } = FreePorts();

    public int PagePort => Port + PortsEach - 1;

    /// <summary>The next picture of the ring that the visualizer sends to a page.</summary>
    public async Task<JsonElement> ReadPageAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var feed = new StreamReader(await client.GetStreamAsync(new Uri($"{Page}/feed")));
        for (var isRing = false; ;)
        {
            var line = await feed.ReadLineAsync()
                ?? throw new InvalidOperationException("the visualizer ended its feed");
            if (isRing && line.StartsWith("data: ", StringComparison.Ordinal))
                return JsonDocument.Parse(line[6..]).RootElement;
            isRing = line == "event: ring";
        }
    }

    /// <summary>What kill -9 does; returns when the process is gone.</summary>
    public async Task KillAsync(string node)
    {
        var file = Path.Combine(Home, "run", $"{node}.pid");
        using var process = Process.GetProcessById(
            int.Parse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture));
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Waits for a node that ends by itself.</summary>
    public async Task GoneAsync(string node)
    {
        var pid = int.Parse(
            await File.ReadAllTextAsync(Path.Combine(Home, "run", $"{node}.pid")), CultureInfo.InvariantCulture);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(limit.Token);
        }
        catch (ArgumentException)
        {
            // It was gone before.
        }
    }

    public Task StopAsync() => RunAsync(Path.Combine(Repository, "startup.sh"), ["stop"], Environment());

    public Dictionary<string, string> Environment() => new()
    {
        ["CHORDCHAT_HOME"] = Home,
        ["CHORDCHAT_CLUSTER"] = Path.Combine(Home, "run", "nodes.json"),
    };

    public string Profile(string user) => Path.Combine(Home, "profiles", user);

    /// <summary>The last lines of every node's log, for a failing test's message.</summary>
    public string Logs() => string.Join('\n', Directory.Exists(Path.Combine(Home, "run"))
        ? Directory.GetFiles(Path.Combine(Home, "run"), "*.log").Order()
            .Select(log => $"--- {Path.GetFileName(log)}\n{string.Join('\n', File.ReadLines(log).TakeLast(15))}")
        : []);

    private string[] ToStart(string[] options) =>
        ["--local", "--port", $"{Port}", "--page-port", $"{PagePort}", .. options];

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (System.Environment.GetEnvironmentVariable("CHORDCHAT_KEEP") is null)
            Directory.Delete(Home, recursive: true);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<Ended> RunAsync(
        string program, IEnumerable<string> arguments, IDictionary<string, string> environment, string? input = null)
    {
        using var process = Begin(program, arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read everything; how, its exit code says.
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(limit.Token);
        return new(process.ExitCode, await output, await error);
    }

    public static Process Begin(
        string program, IEnumerable<string> arguments, IDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ChordChat.sln")))
            folder = folder.Parent
                ?? throw new InvalidOperationException("ChordChat.sln is in no folder above the tests");
        return folder.FullName;
    }

    /// <summary>The first of neighbouring ports that are all free now and that no other cluster of these tests
    /// has.</summary>
    private static int FreePorts()
    {
        while (true)
        {
            var port = Interlocked.Add(ref _lastPort, PortsEach);
            if (Enumerable.Range(port, PortsEach).All(IsFree))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>How a program ended and what it said.</summary>
internal sealed record Ended(int ExitCode, string Output, string Error)
{
    /// <summary>Its standard output as one JSON object a line.</summary>
    public IReadOnlyList<JsonElement> Objects =>
    [
        .. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement),
    ];

    /// <summary>The machine-readable code of the error that it ended with.</summary>
    public string ErrorCode =>
        JsonDocument.Parse(Error.Trim().Split('\n')[^1]).RootElement
            .GetProperty("error").GetProperty("code").GetString()!;
}
