using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;

namespace ChordChat.Bench.Nodes;

/// <summary>A visualizer as a process of its own, and what an open page is told by it.</summary>
internal sealed class RingPage : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<PageView> _views = Channel.CreateUnbounded<PageView>();
    private readonly Uri _feed;
    private Task _reading = Task.CompletedTask;
    private PageView _latest = new("", "", new Dictionary<string, string>());

    private RingPage(Process process, int port)
    {
        _process = process;
        _feed = new Uri($"http://localhost:{port}/feed");
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The node through which the ring was seen last.</summary>
    public string Watched => _latest.Watched;

    public static async Task<RingPage> OpenAsync(LocalNodes nodes, CancellationToken cancellation)
    {
        var port = LocalNodes.FreePort(SocketType.Stream, ProtocolType.Tcp);
        var start = new ProcessStartInfo(await BuiltProgram.VisualizerAsync(cancellation))
        {
            ArgumentList = { "--port", $"{port}" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var node in nodes.All)
        {
            start.ArgumentList.Add("--node");
            start.ArgumentList.Add(node.Address);
        }

        var page = new RingPage(Process.Start(start)!, port);
        page._reading = page.ReadAsync();
        return page;
    }

    /// <summary>Waits until the page shows that.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="BenchFailedException">Not within a minute.</exception>
    public async Task<TimeSpan> ShowsAsync(string what, Func<PageView, bool> holds, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            while (!holds(_latest))
                _latest = await _views.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BenchFailedException($"the page did not show in {Patience.TotalSeconds:0} s: {what}");
        }

        return Stopwatch.GetElapsedTime(since);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
        _closing.Dispose();
    }

    private async Task ReadAsync()
    {
        while (!_closing.IsCancellationRequested)
            try
            {
                using var lines = new StreamReader(await _http.GetStreamAsync(_feed, _closing.Token));
                await ReadAsync(lines);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // It does not listen yet, or the scenario is over.
                await Task.Delay(50);
            }
    }

    private async Task ReadAsync(StreamReader lines)
    {
        var view = new PageView("", "", new Dictionary<string, string>());
        var kind = "";
        while (await lines.ReadLineAsync(_closing.Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                kind = line[7..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal) || kind == "beat")
                continue;
            using var data = JsonDocument.Parse(line[6..]);
            view = kind == "eyes"
                ? view with { Watched = Text(data.RootElement, "node"), Silent = Text(data.RootElement, "silent") }
                : view with
                {
                    States = data.RootElement.GetProperty("nodes").EnumerateArray()
                        .ToDictionary(node => Text(node, "name"), node => Text(node, "state")),
                };
            await _views.Writer.WriteAsync(view, _closing.Token);
        }
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;
}

/// <summary>What the page shows.</summary>
/// <param name="Watched">The node through which the ring is seen; empty while none answers.</param>
/// <param name="Silent">A node that fell silent to the visualizer itself; mostly empty.</param>
/// <param name="States">Of each node, by name.</param>
internal sealed record PageView(string Watched, string Silent, IReadOnlyDictionary<string, string> States)
{
    public bool IsAlive(string node) => Silent != node && States.GetValueOrDefault(node) == "ALIVE";
}
