using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Node.Transport;

/// <summary>What the ring asks other nodes. No answer in time, or one that makes no sense, is null: unreachable.</summary>
internal sealed class RingCalls(PeerChannels channels)
{
    public Task<RingAnswer?> GetRingAsync(Peer to, Peer self, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) =>
            (await client.GetRingAsync(new GetRingRequest { From = self.ToWire() }, options)).ToCore(), timeout, cancellation);

    public Task<object?> NotifyAsync(Peer to, Peer self, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync<object>(to, async (client, options) =>
            await client.NotifyAsync(new NotifyRequest { From = self.ToWire() }, options), timeout, cancellation);

    public Task<RouteReply?> FindSuccessorAsync(Peer to, RingId point, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) => (await client.FindSuccessorAsync(
            new FindSuccessorRequest { Position = point.ToWire() }, options)).ToCore(), timeout, cancellation);

    public Task<Pinged?> PingAsync(Peer to, PingRequest ping, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) => ToCore(await client.PingAsync(ping, options)), timeout, cancellation);

    /// <summary>Pings whoever of this cluster answers at an address.</summary>
    public async Task<Pinged?> PingStrangerAsync(
        string address, PingRequest ping, TimeSpan timeout, CancellationToken cancellation)
    {
        using var channel = channels.ToStranger(address);
        return await CallAsync(
            channel, async (client, options) => ToCore(await client.PingAsync(ping, options)), timeout, cancellation);
    }

    /// <summary>What <paramref name="helper"/> saw of <paramref name="target"/>; null when the helper did not answer.</summary>
    public async Task<bool?> PingForAsync(Peer helper, Peer target, TimeSpan timeout, CancellationToken cancellation) =>
        (await CallAsync(helper, async (client, options) => await client.PingForAsync(
            new PingForRequest { Target = target.ToWire() }, options), timeout, cancellation))?.Answered;

    public Task<DescribeReply?> DescribeAsync(Peer to, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) =>
            await client.DescribeAsync(new DescribeRequest(), options), timeout, cancellation);

    private Task<T?> CallAsync<T>(
        Peer to, Func<Wire.Ring.RingClient, CallOptions, Task<T>> call, TimeSpan timeout, CancellationToken cancellation)
        where T : class => CallAsync(channels.To(to), call, timeout, cancellation);

    private static async Task<T?> CallAsync<T>(
        GrpcChannel channel,
        Func<Wire.Ring.RingClient, CallOptions, Task<T>> call,
        TimeSpan timeout,
        CancellationToken cancellation)
        where T : class
    {
        try
        {
            var options = new CallOptions(deadline: DateTime.UtcNow + timeout, cancellationToken: cancellation);
            return await call(new Wire.Ring.RingClient(channel), options);
        }
        catch (Exception e) when (e is RpcException or MalformedException or ObjectDisposedException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    private static Pinged ToCore(PingReply reply) => new(reply.Self.ToCore(), reply.Gossip.ToCore());
}

/// <summary>The answer to a probe: who it was, and what it tells of others.</summary>
internal sealed record Pinged(Member From, ImmutableArray<Member> Gossip);
