using System.Net;
using System.Net.Sockets;
using ChordChat.Core.Ring;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Wire;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md, "Ring: failure detector": the ring alone decides how often a silent member is
/// asked.</summary>
public sealed class PeerChannelTests
{
    /// <remarks>gRPC's own connecting refused calls for about a second after an attempt that failed, so that a node
    /// which was asked just before it was back was called silent again by those who had asked.</remarks>
    [Fact]
    public async Task A_node_that_listens_again_is_reached_by_the_next_call()
    {
        await using var cluster = Founded.Of(2);
        var node = (await cluster.StartAsync("n1")).Node.Self;
        using var port = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        port.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // Does not listen yet: who connects is refused.
        using var channels = new PeerChannels(new ClusterTls(cluster.Identity("n2")));
        var peer = node with { Address = $"{port.LocalEndPoint}" };

        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<RpcException>(() => DescribeAsync(channels, peer));
        port.Listen();
        using var ended = new CancellationTokenSource();
        var forwarding = ForwardAsync(port, IPEndPoint.Parse(node.Address), ended.Token);

        Assert.Equal(node.Name, (await DescribeAsync(channels, peer)).Self.Name);
        await ended.CancelAsync();
        await forwarding;
    }

    /// <summary>docs/protocol.md#ring-hearsay</summary>
    [Fact]
    public async Task Where_a_node_stands_is_what_its_certificate_shows_and_not_what_it_answers()
    {
        await using var cluster = Founded.Of(2);
        var node = (await cluster.StartAsync("n1")).Node.Self;
        using var channels = new PeerChannels(new ClusterTls(cluster.Identity("n2")));
        var elsewhere = node with { Position = default, Name = "n7" };
        var channel = channels.Of(elsewhere);
        Assert.Null(channel.Shown);
        await DescribeAsync(channels, elsewhere);

        var placed = RingCalls.InPlace(new(new(elsewhere, 1, Health.Alive, 0), []), channel.Shown).From.Peer;

        Assert.Equal((node.Position, node.Name, node.Address), (placed.Position, placed.Name, placed.Address));
        var another = node with { Node = new NodeId(1, 1), Position = default };
        Assert.Equal(
            default, RingCalls.InPlace(new(new(another, 1, Health.Alive, 0), []), channel.Shown).From.Peer.Position);
    }

    [Fact]
    public async Task However_many_peers_others_name_only_so_many_channels_are_open()
    {
        await using var cluster = Founded.Of(2);
        using var channels = new PeerChannels(new ClusterTls(cluster.Identity("n2")), openMax: 3);
        var often = new Peer(new NodeId(1, 1), default, "often", "127.0.0.1:1");
        var first = channels.To(often);
        for (ulong i = 2; i < 20; i++)
        {
            channels.To(new Peer(new NodeId(i, i), default, "made up", $"127.0.0.1:{i}"));
            Assert.Same(first, channels.To(often)); // What is used stays.
        }

        Assert.Equal(3, channels.Count);
    }

    /// <summary>docs/protocol.md#ring-deny-list: what goes on with a denied node ends, on a channel that was given up,
    /// too.</summary>
    [Fact]
    public async Task The_calls_to_a_node_end_with_it_on_channels_that_were_replaced_too()
    {
        await using var cluster = Founded.Of(2);
        var node = (await cluster.StartAsync("n1")).Node.Self;
        using var channels = new PeerChannels(new ClusterTls(cluster.Identity("n2")));
        using var watch = new Wire.View.ViewClient(channels.To(node)).Watch(new WatchRequest());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        channels.RetireAll();
        Assert.NotSame(channels.To(node), channels.To(node with { Address = "127.0.0.1:1" }));

        channels.Close(node.Node);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (await watch.ResponseStream.MoveNext(patience.Token))
                patience.Token.ThrowIfCancellationRequested();
        }).WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>docs/protocol.md#loops</summary>
    [Fact]
    public async Task A_node_that_cannot_be_called_for_whatever_reason_is_one_that_does_not_answer()
    {
        await using var cluster = Founded.Of(2);
        using var channels = new PeerChannels(new ClusterTls(cluster.Identity("n2")));
        var calls = new RingCalls(
            channels, null!, null!, null!, null!, null!, null!, TimeProvider.System, NullLogger<RingCalls>.Instance);
        var nowhere = new Peer(new NodeId(1, 1), default, "made up", "a\uFFFE:1");
        Assert.Null(await calls.DescribeAsync(nowhere, TimeSpan.FromSeconds(20), CancellationToken.None));
        var own = new Member(nowhere, 1, Health.Alive, 0);
        Assert.Null(await calls.MeetAsync(
            nowhere.Address, own, TimeSpan.FromSeconds(20), CancellationToken.None));
    }

    private static async Task<DescribeReply> DescribeAsync(PeerChannels channels, Peer peer) =>
        await new Wire.Ring.RingClient(channels.To(peer)).DescribeAsync(
            new DescribeRequest(), deadline: DateTime.UtcNow.AddSeconds(20));

    /// <summary>Takes one connection on to where the node listens.</summary>
    private static async Task ForwardAsync(Socket port, IPEndPoint to, CancellationToken ended)
    {
        using var near = await port.AcceptAsync(ended);
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await far.ConnectAsync(to, ended);
        await using var nearStream = new NetworkStream(near);
        await using var farStream = new NetworkStream(far);
        try
        {
            await Task.WhenAll(nearStream.CopyToAsync(farStream, ended), farStream.CopyToAsync(nearStream, ended));
        }
        catch (Exception over) when (over is OperationCanceledException or IOException)
        {
            // The test is over.
        }
    }
}
