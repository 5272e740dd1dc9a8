using System.Net;
using System.Net.Sockets;
using ChordChat.Node.Links;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/security.md, "Places of strangers": a few networks that take all connections keep nobody out. Each
/// network is a /24 of 127.0.0.0/8.</summary>
public sealed class ConnectionPlaceTests
{
    private static readonly DescriptorLimit Few = new(Connections: 16, PerAddress: 16, Unfinished: 4);

    [Fact]
    public async Task Handshakes_of_one_network_that_do_not_end_keep_nobody_out()
    {
        await using var cluster = await StartAsync();
        var silent = new List<TcpClient>();
        for (var i = 0; i < Few.Unfinished; i++)
            silent.Add(await OpenAsync(cluster, "127.0.1.1"));
        await ServesAsync(cluster, "127.0.2.1");
        silent.ForEach(each => each.Dispose());
    }

    [Fact]
    public async Task Idle_connections_of_three_addresses_keep_nobody_out()
    {
        await using var cluster = await StartAsync();
        var idle = new List<RawHttp2>();
        for (var i = 0; i < Few.Connections - Few.Kept; i++)
            idle.Add(await ConnectAsync(cluster, $"127.0.{1 + (i % 3)}.1"));
        await ServesAsync(cluster, "127.0.9.1");
        await ServesAsync(cluster, "127.0.8.1");

        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (true)
                await idle[0].ReadAsync(deadline.Token); // The one that was idle for longest made room.
        });
        foreach (var each in idle)
            await each.DisposeAsync();
    }

    private static Task<NodeCluster> StartAsync() =>
        NodeCluster.StartAsync(1, others: (_, services) => services.AddSingleton(Few));

    private static async Task ServesAsync(NodeCluster cluster, string from)
    {
        await using var client = await ConnectAsync(cluster, from);
        await client.PostAsync(1, "/chordchat.v1.Chat/Connect");
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await client.ReadAsync(deadline.Token)).Kind != RawHttp2.Headers)
        {
            // The settings come first.
        }
    }

    private static Task<RawHttp2> ConnectAsync(NodeCluster cluster, string from)
    {
        var at = IPEndPoint.Parse(cluster.AddressOf("n1"));
        return RawHttp2.ConnectAsync(at.Address.ToString(), at.Port, from);
    }

    private static async Task<TcpClient> OpenAsync(NodeCluster cluster, string from)
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await client.ConnectAsync(IPEndPoint.Parse(cluster.AddressOf("n1")));
        return client;
    }
}
