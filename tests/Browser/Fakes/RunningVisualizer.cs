using ChordChat.Visualizer.Hosting;
using Microsoft.AspNetCore.Builder;

namespace ChordChat.Tests.Browser.Fakes;

/// <summary>The visualizer itself, the real one, in this process.</summary>
internal sealed class RunningVisualizer(WebApplication app, string url) : IAsyncDisposable
{
    public string Url => url;

    /// <param name="nodes">host:port of nodes, whatever runs there.</param>
    public static async Task<RunningVisualizer> StartAsync(params string[] nodes) => await StartAtAsync(0, nodes);

    public static async Task<RunningVisualizer> StartAtAsync(int port, params string[] nodes)
    {
        var options = new VisualizerOptions { Port = port, Nodes = nodes, Search = false };
        var app = VisualizerHost.Build(options);
        await app.StartAsync();
        return new(app, VisualizerHost.UrlOf(app, options));
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }
}
