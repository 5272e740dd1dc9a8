using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Tests.Cluster.BadInput;
using ChordChat.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": whoever reaches a node may watch the ring, and costs so much and no more.
/// </summary>
public sealed class WatcherTests
{
    private static readonly Dictionary<string, string?> Few = new()
    {
        ["View:WatchersPerAddressMax"] = "2",
        ["View:ReadingMax"] = "00:00:00.5",
    };

    [Fact]
    public async Task An_address_has_so_many_streams_and_one_that_is_over_makes_room()
    {
        await using var cluster = await NodeCluster.StartAsync(1, Few);
        using var channel = Connect(cluster);
        using var first = await WatchAsync(channel);
        using (await WatchAsync(channel))
            Assert.Equal(
                StatusCode.ResourceExhausted,
                (await Assert.ThrowsAsync<RpcException>(() => WatchAsync(channel))).StatusCode);

        using var again = await UntilRoomAsync(channel);
        Assert.True(await first.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_cut_off()
    {
        await using var cluster = await NodeCluster.StartAsync(1, Few);
        using var slow = Connect(cluster);
        using var idle = await WatchAsync(slow);
        using var other = await WatchAsync(slow);
        using var channel = Connect(cluster);

        using var room = await UntilRoomAsync(channel);

        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await idle.ResponseStream.MoveNext(CancellationToken.None))
            {
            }
        });
    }

    [Fact]
    public async Task A_stranger_has_so_many_traces_a_minute_and_the_operator_has_more()
    {
        await using var cluster = await NodeCluster.StartAsync(3, new() { ["View:TracesPerMinuteMax"] = "2" });
        await cluster.SettleAsync();
        using var channel = Connect(cluster);
        var view = new View.ViewClient(channel);
        await view.TraceAsync(new TraceRequest { Name = "anna" });
        await view.TraceAsync(new TraceRequest { Name = "bert" });

        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await view.TraceAsync(new TraceRequest { Name = "carl" }));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        using var authority = new ClusterFolder(cluster.Root).OpenAuthority();
        using var certificate = authority.IssueOperator(DateTimeOffset.UtcNow);
        using var own = Connect(cluster, certificate);
        Assert.NotEmpty((await new View.ViewClient(own).TraceAsync(new TraceRequest { Name = "carl" })).Hops);
    }

    /// <summary>docs/protocol.md#bad-input: one that lies tells of a member where nobody can be called.</summary>
    [Fact]
    public async Task A_made_up_member_does_not_stop_the_picture()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var outsider = cluster.Enrol("mallory");
        var madeUp = new Member(new(new(1, 1), new(1), "x", "a\uFFFE:1"), 1, Health.Alive, 0);
        using (var evil = EvilNode.ChannelTo(outsider, cluster.AddressOf("n1")))
            await Record.ExceptionAsync(async () => await new Wire.Ring.RingClient(evil).PingAsync(new PingRequest
            {
                From = new Member(outsider.Self.At("127.0.0.1:1"), 1, Health.Alive, 0).ToWire(),
                Gossip = { madeUp.ToWire() },
            }));
        using var channel = Connect(cluster);
        using var watch = await WatchAsync(channel).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task<AsyncServerStreamingCall<Snapshot>> WatchAsync(GrpcChannel channel)
    {
        var call = new View.ViewClient(channel).Watch(new WatchRequest());
        try
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private static async Task<AsyncServerStreamingCall<Snapshot>> UntilRoomAsync(GrpcChannel channel)
    {
        AsyncServerStreamingCall<Snapshot>? call = null;
        await Condition.UntilAsync("there is room for another watcher", TimeSpan.FromSeconds(60), async () =>
        {
            try
            {
                call = await WatchAsync(channel);
                return true;
            }
            catch (RpcException full) when (full.StatusCode == StatusCode.ResourceExhausted)
            {
                return false;
            }
        });
        return call!;
    }

    private static GrpcChannel Connect(NodeCluster cluster, X509Certificate2? certificate = null) =>
        GrpcChannel.ForAddress($"https://{cluster.AddressOf("n1")}", new()
        {
            HttpHandler = ClusterTls.CreateHandler(cluster.IdentityOf("n1").Trust, certificate),
            DisposeHttpClient = true,
        });
}
