using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>Somebody with a profile who uses the shipped client program.</summary>
internal sealed class Person(LocalCluster cluster, string name)
{
    public const string Password = "seven green boats at noon";

    public string Name => name;

    /// <summary>Runs one command of the client with --json to its end.</summary>
    public Task<Ended> RunAsync(
        string[] arguments, string? node = null, string? input = null, string password = Password) =>
        LocalCluster.RunAsync(Program, Arguments(arguments, node), Environment(password), input);

    /// <summary>As <see cref="RunAsync"/>, and it must end well.</summary>
    public async Task<IReadOnlyList<JsonElement>> DoAsync(string[] arguments, string? node = null, string? input = null)
    {
        var ended = await RunAsync(arguments, node, input);
        Assert.True(
            ended.ExitCode == 0,
            $"{name}: chordchat {string.Join(' ', arguments)} ended with {ended.ExitCode}\n"
            + $"{ended.Output}\n{ended.Error}\n" + cluster.Logs());
        return ended.Objects;
    }

    /// <summary>Registers, and reads whatever comes from then on.</summary>
    public async Task RegisterAsync(string? node = null)
    {
        await DoAsync(["register", name], node);
        await DoAsync(["requests", "off"]);
    }

    /// <summary>Starts a command that goes on; read its lines with <see cref="Running"/>.</summary>
    public Running Start(string[] arguments, string? node = null) =>
        new(LocalCluster.Begin(Program, Arguments(arguments, node), Environment(Password)), name);

    private static string Program => Path.Combine(LocalCluster.Repository, "chordchat");

    private string[] Arguments(string[] arguments, string? node) =>
    [
        .. arguments, "--json", "--profile", cluster.Profile(name),
        .. node is null ? Array.Empty<string>() : ["--node", cluster.Address(node)],
    ];

    private Dictionary<string, string> Environment(string password) =>
        new(cluster.Environment()) { ["CHORDCHAT_PASSWORD"] = password };
}

/// <summary>A client program that runs: what it prints, line by line, as JSON.</summary>
internal sealed class Running : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _who;

    public Running(Process process, string who)
    {
        (_process, _who) = (process, who);
        Error = process.StandardError.ReadToEndAsync();
    }

    public Task<string> Error { get; }

    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>The next object it prints.</summary>
    public async Task<JsonElement> ReadAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(60));
        try
        {
            var line = await _process.StandardOutput.ReadLineAsync(limit.Token)
                ?? throw new InvalidOperationException($"{_who}'s program ended early: {await Error}");
            return JsonDocument.Parse(line).RootElement;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_who}'s program printed nothing in time");
        }
    }

    public async Task<IReadOnlyList<JsonElement>> ReadAsync(int count, TimeSpan? within = null)
    {
        var read = new List<JsonElement>();
        while (read.Count < count)
            read.Add(await ReadAsync(within));
        return read;
    }

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }
}
