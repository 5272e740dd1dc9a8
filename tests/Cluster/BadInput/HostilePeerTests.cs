using ChordChat.Core.Ring;
using ChordChat.Node;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#bad-input: a peer with a certificate of the cluster that answers nonsense or
/// never.</summary>
public sealed class HostilePeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Peers_that_answer_nonsense_or_never_count_as_ones_that_do_not_answer()
    {
        var all = Enum.GetValues<Nonsense>();
        await using var cluster = Founded.Of(all.Length + 1);
        var peers = await Task.WhenAll(
            all.Select((says, i) => HostilePeer.StartAsync(cluster.Identity($"n{i + 2}"), says)));
        try
        {
            var node = await cluster.StartAsync("n1");
            for (var i = 0; i < peers.Length; i++)
                await IntroduceAsync(cluster, node, $"n{i + 2}", peers[i].Address);
            await Task.WhenAll(
                all.Select((says, i) => AskAsync(node, PeerAt(cluster, $"n{i + 2}", peers[i].Address), says)));
            for (var i = 0; i < peers.Length; i++)
                Assert.True(peers[i].RequestCount > 0, $"{all[i]} was never asked");
            await ServesAsync(cluster, node);
        }
        finally
        {
            await Task.WhenAll(peers.Select(peer => peer.DisposeAsync().AsTask()));
        }
    }

    /// <summary>Every question ends, without an answer.</summary>
    private static async Task AskAsync(RunningNode node, Peer other, Nonsense says)
    {
        var self = node.Services.GetRequiredService<RingDriver>().Now.Members.Own;
        var ring = node.Services.GetRequiredService<RingCalls>();
        var limit = TimeSpan.FromSeconds(1);
        var answers = await Task.WhenAll(
            Boxed(ring.GetRingAsync(other, self.Peer, limit, static _ => { }, CancellationToken.None)),
            Boxed(ring.FindSuccessorAsync(other, self.Peer.Position, limit, CancellationToken.None)),
            TrueAsync(ring.AskAliveAsync(other, self, limit, CancellationToken.None)),
            Boxed(ring.MeetAsync(other.Address, self, limit, CancellationToken.None)),
            Boxed(ring.DescribeAsync(other, limit, CancellationToken.None))).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.True(answer is null, $"{says} was taken for {answer}"));

        // A call over the link has no limit of its own: it is the link that gives up.
        var ended = new TaskCompletionSource<Answer?>();
        node.Services.GetRequiredService<PeerLinks>().Send(
            other.Node, new Call(), answer => ended.TrySetResult(answer));
        Assert.True(await ended.Task.WaitAsync(Patience) is null, $"{says} was taken for an answer");

        static async Task<object?> TrueAsync(Task<bool> question) => await question ? true : null;

        static async Task<object?> Boxed<T>(Task<T?> question)
            where T : class => await question;
    }

    [Fact]
    public async Task A_peer_that_begins_a_link_and_says_nothing_is_told_so_and_hung_up_on()
    {
        await using var cluster = Founded.Of(2);
        var node = await cluster.StartAsync("n1");
        using var channel = Channel(cluster, node, "n2");
        using var silent = new Wire.Replica.ReplicaClient(channel).Link();
        using var half = new Wire.Replica.ReplicaClient(channel).Link();
        await half.RequestStream.CompleteAsync(); // It has nothing to say at all.
        Assert.False(await half.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        var told = await Assert.ThrowsAsync<RpcException>(
            () => silent.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        Assert.Equal(StatusCode.FailedPrecondition, told.StatusCode);
        Assert.Contains("nothing was said", told.Status.Detail, StringComparison.Ordinal);
        await ServesAsync(cluster, node);
    }

    /// <summary>The node hears of another at this address, from who has its certificate.</summary>
    private static async Task IntroduceAsync(Founded cluster, RunningNode node, string name, string address)
    {
        using var channel = Channel(cluster, node, name);
        var peer = PeerAt(cluster, name, address);
        await new Wire.Ring.RingClient(channel).PingAsync(new()
        {
            From = new()
            {
                Peer = new()
                {
                    NodeId = ByteString.CopyFrom(peer.Node.ToBytes()),
                    Position = ByteString.CopyFrom(peer.Position.ToBytes()),
                    Name = peer.Name,
                    Address = address,
                },
                Incarnation = 1,
                Health = MemberRecord.Types.Health.Alive,
            },
        });
        var ring = node.Services.GetRequiredService<RingDriver>();
        await Condition.UntilAsync($"{name} is known", Patience, () => Task.FromResult(
            ring.Now.Find(peer.Node)?.Address == address));
    }

    private static Peer PeerAt(Founded cluster, string name, string address) => cluster.Identity(name).Self.At(address);

    private static GrpcChannel Channel(Founded cluster, RunningNode node, string by) =>
        GrpcChannel.ForAddress($"https://{node.Node.Self.Address}", new()
        {
            HttpHandler = new ClusterTls(cluster.Identity(by)).CreateHandler(null),
            DisposeHttpClient = true,
        });

    /// <summary>Clients and members are answered, and nothing has made the node stop.</summary>
    private static async Task ServesAsync(Founded cluster, RunningNode node)
    {
        await node.Services.GetRequiredService<DiskGuard>().OpenedAsync(CancellationToken.None).WaitAsync(Patience);
        using var channel = Channel(cluster, node, "n2");
        var options = new CallOptions(deadline: DateTime.UtcNow + Patience);
        Assert.Equal("n1", (await new Wire.Chat.ChatClient(channel).GetClusterAsync(new(), options)).NodeName);
        await new Wire.Ring.RingClient(channel).GetRingAsync(new(), options);
        var life = node.Services.GetRequiredService<IHostApplicationLifetime>();
        Assert.False(life.ApplicationStopping.IsCancellationRequested);
    }
}
