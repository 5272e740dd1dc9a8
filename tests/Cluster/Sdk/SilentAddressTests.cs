using System.Net;
using System.Net.Sockets;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Known nodes: addresses that accept a connection and say nothing cost seconds together, not
/// each.</summary>
public sealed class SilentAddressTests : IAsyncLifetime, IDisposable
{
    private const int Count = 30;

    /// <summary>One after the other they would take 90 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeCluster _cluster = new();
    private readonly List<TcpListener> _silent = [];
    private FakeNode _node = null!;

    public async Task InitializeAsync()
    {
        _node = await _cluster.AddNodeAsync("n1");
        while (_silent.Count < Count)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            _silent.Add(listener);
        }
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    public void Dispose()
    {
        _silent.ForEach(listener => listener.Dispose());
        _cluster.Dispose();
    }

    [Fact]
    public async Task A_node_behind_many_of_them_is_found()
    {
        var pool = Pool(new() { FromEnvironment = [.. Addresses, _node.Address], AskNetwork = false });
        using var link = await pool.OpenAsync(null, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(_node.Id, link.NodeId);
    }

    [Fact]
    public async Task Another_node_to_ask_is_found_behind_what_one_names()
    {
        var pool = Pool(new() { Explicit = [_node.Address] }, [.. Addresses.Select(at => new KnownNode(at, null))]);
        using var link = await pool.OpenOtherAsync(new HashSet<string>(), CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(_node.Id, link!.NodeId);
        Assert.Null(await pool.OpenOtherAsync(
            new HashSet<string>([Convert.ToHexString(_node.Id)]), CancellationToken.None).WaitAsync(Patience));
    }

    /// <summary>Also when it answers faster than the others.</summary>
    [Fact]
    public async Task The_node_that_has_just_failed_is_tried_last()
    {
        var other = await _cluster.AddNodeAsync("n2");
        var pool = Pool(new() { Explicit = [_node.Address, Addresses.First(), other.Address] });
        using (var link = await pool.OpenAsync(_node.Address, CancellationToken.None))
            Assert.Equal(other.Id, link.NodeId);
        await other.DisposeAsync();
        using var again = await pool.OpenAsync(_node.Address, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(_node.Id, again.NodeId);
    }

    private IEnumerable<string> Addresses => _silent.Select(listener => $"127.0.0.1:{Port(listener)}");

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static NodePool Pool(NodeSearch search, params KnownNode[] kept) =>
        new(search, new ClusterTrust(null), kept);
}
