using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Microsoft.Extensions.Configuration;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>A new cluster in a temporary folder, and its nodes in this process on free loopback ports.</summary>
internal sealed class Founded : IAsyncDisposable
{
    private readonly List<RunningNode> _running = [];

    private Founded(int nodes, DateTimeOffset at)
    {
        Folder = Directory.CreateTempSubdirectory("chordchat-").FullName;
        var names = Enumerable.Range(1, nodes).Select(i => $"n{i}").ToArray();
        Cluster = new(Folder);
        Cluster.Create(new(names, Math.Min(2, nodes - 1), SessionPolicy.Takeover, Demo: true), at);
    }

    /// <param name="at">When it was founded; now if not given.</param>
    public static Founded Of(int nodes, DateTimeOffset? at = null) => new(nodes, at ?? DateTimeOffset.UtcNow);

    public string Folder { get; }

    public ClusterFolder Cluster { get; }

    public NodeIdentity Identity(string name) => NodeIdentity.Read(Cluster.NodeFolder(name));

    /// <summary>Starts a node; without more options it can be found by nobody.</summary>
    public async Task<RunningNode> StartAsync(string name, Func<NodeOptions, NodeOptions>? with = null)
    {
        var options = new NodeOptions
        {
            Data = Cluster.NodeFolder(name),
            Listen = new("127.0.0.1", 0),
            Multicast = false,
            LogLevel = Serilog.Events.LogEventLevel.Error,
        };
        var settings = new ConfigurationBuilder().Build();
        var node = await RunningNode.StartAsync(with?.Invoke(options) ?? options, settings, CancellationToken.None);
        _running.Add(node);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _running)
            await node.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
