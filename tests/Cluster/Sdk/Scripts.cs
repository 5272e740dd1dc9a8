using System.Diagnostics;
using System.Text.Json;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>The client program as a process, for alice and bob, who are registered.</summary>
public abstract class Scripts : IAsyncLifetime, IDisposable
{
    /// <summary>The client as its own project built it: src/Client/bin/CONFIGURATION/FRAMEWORK/chordchat.dll.</summary>
    internal static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../../src/Client/bin",
        Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "../.."), AppContext.BaseDirectory),
        "chordchat.dll"));

    private protected FakeCluster Cluster { get; } = new();
    protected string Home { get; } = Person.NewFolder();

    /// <summary>Variables for the next programs.</summary>
    protected Dictionary<string, string> Variables { get; } = [];

    private protected FakeNode Node { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Node = await Cluster.AddNodeAsync("n1");
        await Cluster.AddNodeAsync("n2");
        await Task.WhenAll(OkAsync("alice", "register", "alice"), OkAsync("bob", "register", "bob"));
        await Task.WhenAll(OkAsync("alice", "requests", "off"), OkAsync("bob", "requests", "off"));
    }

    public async Task DisposeAsync()
    {
        foreach (var node in Cluster.Nodes.Values)
            await node.DisposeAsync();
    }

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task<List<JsonElement>> OkAsync(string who, params string[] arguments)
    {
        var run = await RunAsync(who, arguments);
        Assert.True(run.Code == 0, $"{string.Join(' ', arguments)} ended with {run.Code}: {run.Error}");
        return run.Output;
    }

    private protected async Task FailsAsync(
        string code, string who, string[] arguments, string password = Person.Password, string? input = null,
        string? node = null)
    {
        var run = await RunAsync(who, arguments, input, password, node);
        Assert.True(run.ErrorCode == code, $"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
        Assert.NotEqual(0, run.Code);
    }

    /// <param name="closeInput">The input stays open until then.</param>
    private protected async Task<Run> RunAsync(
        string who, string[] arguments, string? input = null, string password = Person.Password, string? node = null,
        bool json = true, Task? closeInput = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["CHORDCHAT_PASSWORD"] = password,
                ["CHORDCHAT_TRUST"] = ClusterTrust.FingerprintOf(Cluster.Authority.RawData),
            },
        };
        start.Environment.Remove("CHORDCHAT_CLUSTER");
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        string[] all =
        [
            Program,
            .. json ? ["--json"] : Array.Empty<string>(),
            "--profile", Path.Combine(Home, who), "--node", node ?? Node.Address, .. arguments,
        ];
        foreach (var argument in all)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input ?? "");
        await process.StandardInput.FlushAsync();
        var exit = process.WaitForExitAsync();
        await Task.WhenAny(closeInput ?? Task.CompletedTask, exit);
        process.StandardInput.Close();
        await exit;
        var text = await output;
        var lines = json ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        return new Run(
            process.ExitCode, [.. lines.Select(line => JsonDocument.Parse(line).RootElement)], await error, text);
    }

    private protected sealed record Run(int Code, List<JsonElement> Output, string Error, string Text)
    {
        public string? ErrorCode => ErrorCodes is [var only] ? only : null;

        /// <summary>Of each line of standard error that is an error.</summary>
        public IReadOnlyList<string?> ErrorCodes =>
        [
            .. Error.Split('\n').Where(line => line.StartsWith('{')).Select(line =>
                JsonDocument.Parse(line).RootElement.GetProperty("error").GetProperty("code").GetString()),
        ];

        public IEnumerable<string?> States => Output.Select(message => message.GetProperty("state").GetString());
    }
}
