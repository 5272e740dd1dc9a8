using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;
using ChordChat.Tests.Cluster.Admission;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Cluster.Discovery;

/// <summary>Discovery alone, without a ring above it: its services, real sockets, a group of this test's own.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly Founded _cluster = Founded.Of(3);
    private readonly TurnedClock _time = new();
    private readonly List<IHost> _hosts = [];
    private readonly HostPort _group = new($"239.255.68.{RandomNumberGenerator.GetInt32(1, 255)}", FreeUdpPort());

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }

        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Nodes_of_one_machine_find_each_other_by_beacons()
    {
        var (n1, n2) = (await StartAsync("n1", 1001), await StartAsync("n2", 1002));
        var ofN2 = await HintAsync(n1, hint => hint.Name == "n2");
        Assert.Equal(_cluster.Identity("n2").Self.Node, ofN2.Node);
        Assert.Equal("127.0.0.1:1002", ofN2.Address);
        await HintAsync(n2, hint => hint.Name == "n1");
        Assert.False(n1.Services.GetRequiredService<Company>().IsAlone);
    }

    [Fact]
    public async Task A_node_whose_address_changed_is_found_again()
    {
        var n1 = await StartAsync("n1", 1001);
        var n2 = await StartAsync("n2", 1002);
        await HintAsync(n1, hint => hint.Address == "127.0.0.1:1002");
        n2.Services.GetRequiredService<LocalNode>().MoveTo("127.0.0.1:1003");
        Assert.Equal("n2", (await HintAsync(n1, hint => hint.Address == "127.0.0.1:1003")).Name);
    }

    /// <summary>docs/operations.md#beacon: no timer runs for so long, and what was heard then is not newer than all
    /// that comes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    public async Task Clocks_that_were_days_ahead_and_are_set_right_stop_no_beacon(int days)
    {
        _time.Ahead = TimeSpan.FromDays(days);
        var n1 = await StartAsync("n1", 1001);
        var n2 = await StartAsync("n2", 1002);
        await HintAsync(n1, hint => hint.Address == "127.0.0.1:1002");
        _time.Ahead = TimeSpan.Zero;
        n2.Services.GetRequiredService<LocalNode>().MoveTo("127.0.0.1:1003");
        Assert.Equal("n2", (await HintAsync(n1, hint => hint.Address == "127.0.0.1:1003")).Name);
        foreach (var host in (IHost[])[n1, n2])
            Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>()
                .ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Another_cluster_is_seen_and_hinted_at_to_nobody()
    {
        await using var other = Founded.Of(1);
        var n1 = await StartAsync("n1", 1001);
        await StartAsync("n1", 2001, other);
        var foreign = n1.Services.GetRequiredService<ForeignClusters>();
        await UntilAsync(() => foreign.Seen().Count == 1);
        Assert.Equal(other.Identity("n1").Genesis.ClusterHex, foreign.Seen()[0].Cluster);
        await StartAsync("n2", 1002);
        Assert.Equal("n2", (await HintAsync(n1, _ => true)).Name);
    }

    [Fact]
    public async Task A_client_that_asks_is_answered_by_every_node()
    {
        await StartAsync("n1", 1001);
        await StartAsync("n2", 1002);
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        client.Client.SetSocketOption(
            SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Loopback.GetAddressBytes());
        using var deadline = new CancellationTokenSource(Patience);
        var heard = new HashSet<string>();
        while (heard.Count < 2)
        {
            await client.SendAsync("chordchat? 1"u8.ToArray(), new IPEndPoint(_group.Address!, _group.Port));
            using var round = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
            round.CancelAfter(200);
            try
            {
                while (true)
                    heard.Add(Encoding.ASCII.GetString((await client.ReceiveAsync(round.Token)).Buffer));
            }
            catch (OperationCanceledException) when (!deadline.IsCancellationRequested)
            {
                // Nobody more in this round; a node may not listen yet.
            }
        }

        var cluster = _cluster.Identity("n1").Genesis.ClusterHex;
        Assert.Equal(
            [$"chordchat! 1 {cluster} n1 127.0.0.1:1001", $"chordchat! 1 {cluster} n2 127.0.0.1:1002"], heard.Order());
    }

    [Fact]
    public async Task Without_multicast_seeds_and_memory_lead_the_way()
    {
        new RememberedPeers(_cluster.Cluster.NodeFolder("n1")).Save(
            [_cluster.Identity("n2").Self.At("127.0.0.1:1002")]);
        var n1 = await StartAsync("n1", 1001, with: options => options with
        {
            Multicast = false,
            Seeds = [new("localhost", 1003)],
        });
        var peers = n1.Services.GetRequiredService<DiscoveredPeers>();
        Assert.Equal("memory 127.0.0.1:1002", await FirstAsync(peers, hint => hint.Via == "memory"));
        Assert.Equal("seed 127.0.0.1:1003", await FirstAsync(peers, hint => hint.Address == "127.0.0.1:1003"));
    }

    private static async Task<string> FirstAsync(DiscoveredPeers peers, Func<DiscoveredPeer, bool> wanted)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var hint in peers.ReadAllAsync(deadline.Token))
            if (wanted(hint))
                return $"{hint.Via} {hint.Address}";
        throw new InvalidOperationException("no more hints");
    }

    private static async Task<DiscoveredPeer> HintAsync(IHost host, Func<DiscoveredPeer, bool> wanted)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var hint in host.Services.GetRequiredService<DiscoveredPeers>().ReadAllAsync(deadline.Token))
            if (wanted(hint))
                return hint;
        throw new InvalidOperationException("no more hints");
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!holds())
            await Task.Delay(20, deadline.Token);
    }

    private async Task<IHost> StartAsync(
        string name, int port, Founded? cluster = null, Func<NodeOptions, NodeOptions>? with = null)
    {
        var folder = (cluster ?? _cluster).Cluster.NodeFolder(name);
        var identity = NodeIdentity.Read(folder);
        var options = new NodeOptions
        {
            Data = folder,
            Listen = new("127.0.0.1", port),
            MulticastGroup = _group,
        };
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton(with?.Invoke(options) ?? options)
            .AddSingleton(identity)
            .AddSingleton(identity.Genesis)
            .AddSingleton(new LocalNode(identity.Self, address, 1, DateTimeOffset.UtcNow))
            .AddDiscovery(folder);
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync();
        return host;
    }

    private static int FreeUdpPort()
    {
        using var socket = new UdpClient(0);
        return ((IPEndPoint)socket.Client.LocalEndPoint!).Port;
    }

    /// <summary>The real time, but for the calendar.</summary>
    private sealed class TurnedClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
