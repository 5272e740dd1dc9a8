using System.Collections.Immutable;
using System.Net.Sockets;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Storage;
using ChordChat.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Node.Ring;

/// <summary>What the ring asks other nodes. No answer in time, or one that makes no sense, is null:
/// unreachable.</summary>
/// <remarks>docs/protocol.md#loops: whatever else goes wrong with one node is as good as no answer of it.</remarks>
internal sealed partial class RingCalls(
    PeerChannels channels, DiskMemory disks, DiskGuard guard, DiskWord word, RunTable runs, DenyListNews denials,
    SettingNews settings, TimeProvider time, ILogger<RingCalls> logger)
{
    private readonly LineBudget _faultLines = new(1);

    /// <param name="missed">Told why there was no answer, where that says something of the member.</param>
    public Task<RingAnswer?> GetRingAsync(
        Peer to, Peer self, TimeSpan timeout, Action<ProbeMiss> missed, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) =>
            (await client.GetRingAsync(new GetRingRequest { From = self.ToWire() }, options)).ToCore(),
            timeout, cancellation, missed);

    public Task<object?> NotifyAsync(Peer to, Peer self, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync<object>(to, async (client, options) =>
            await client.NotifyAsync(new NotifyRequest { From = self.ToWire() }, options), timeout, cancellation);

    public Task<RouteReply?> FindSuccessorAsync(
        Peer to, RingId point, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) => (await client.FindSuccessorAsync(
            new FindSuccessorRequest { Position = point.ToWire() }, options)).ToCore(), timeout, cancellation);

    /// <summary>A probe that carries gossip both ways.</summary>
    /// <param name="missed">Told why there was no answer, where that says something of the member.</param>
    public Task<Pinged?> PingAsync(
        MembershipEffect.Ping ping, Action<ProbeMiss> missed, CancellationToken cancellation)
    {
        var request = new PingRequest
        {
            From = ping.Self.ToWire(),
            Gossip = { ping.Gossip.Select(member => member.ToWire()) },
            WantAll = ping.WantAll,
            Digest = ping.Digest,
            Disk = OwnDisk,
            DenyNumber = denials.Own,
            Settings = { settings.Own },
        };
        PeerChannel? channel = null;
        return CallAsync(ping.To.Node, () => (channel = channels.Of(ping.To)).Grpc, async (client, options) =>
        {
            var reply = await client.PingAsync(request, options);
            Follow(ping.To.Node, reply.Disk);
            denials.Heard(ping.To.Node, reply.DenyNumber, ping.To.Address);
            settings.Hear(ping.To.Node, ping.To.Name, reply.Settings);
            return InPlace(ToCore(reply), channel?.Shown);
        }, ping.Timeout, cancellation, missed);
    }

    /// <summary>How far this node's disk is, while it serves.</summary>
    public WireSighting? OwnDisk
    {
        get
        {
            if (!guard.IsOpen)
                return null;
            var own = runs.History.Sighting;
            return new SignedSighting(own, word.SignNowAndThen(own)).ToWire();
        }
    }

    /// <summary>Remembers what a node has just said of its disk.</summary>
    public void Follow(NodeId node, WireSighting? told)
    {
        if (told is not null && disks.Follow(node, told.ToCore()))
            disks.Keep(node, told.ToCore(), told.Signature.Memory);
    }

    /// <summary>A question for a sign of life and nothing else; that it has too many calls is one too.</summary>
    public async Task<bool> AskAliveAsync(Peer to, Member self, TimeSpan timeout, CancellationToken cancellation)
    {
        var isBusy = false;
        var answer = await CallAsync(to, async (client, options) =>
            ToCore(await client.PingAsync(new PingRequest { From = self.ToWire() }, options)),
            timeout, cancellation, miss => isBusy = miss is ProbeMiss.Busy);
        return answer is not null || isBusy;
    }

    /// <summary>Asks whoever of this cluster answers at an address who it is and whom it knows.</summary>
    public async Task<Pinged?> MeetAsync(string address, Member self, TimeSpan timeout, CancellationToken cancellation)
    {
        GrpcChannel? channel = null;
        try
        {
            var request = new PingRequest { From = self.ToWire(), WantAll = true };
            return await CallAsync(
                null, () => channel = channels.ToStranger(address),
                async (client, options) => ToCore(await client.PingAsync(request, options)), timeout, cancellation);
        }
        finally
        {
            channel?.Dispose();
        }
    }

    /// <summary>What <paramref name="helper"/> saw of <paramref name="target"/>; null when the helper did not
    /// answer.</summary>
    public async Task<bool?> PingForAsync(Peer helper, Peer target, TimeSpan timeout, CancellationToken cancellation) =>
        (await CallAsync(helper, async (client, options) => await client.PingForAsync(
            new PingForRequest { Target = target.ToWire() }, options), timeout, cancellation))?.Answered;

    /// <returns>Null when it did not arrive.</returns>
    public Task<AuditReply?> AuditAsync(Peer to, AuditNews news, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) =>
            await client.AuditAsync(news.ToWire(), options), timeout, cancellation);

    public Task<DescribeReply?> DescribeAsync(Peer to, TimeSpan timeout, CancellationToken cancellation) =>
        CallAsync(to, async (client, options) =>
            (await client.DescribeAsync(new DescribeRequest(), options)).Checked(), timeout, cancellation);

    private Task<T?> CallAsync<T>(
        Peer to,
        Func<Wire.Ring.RingClient, CallOptions, Task<T>> call,
        TimeSpan timeout,
        CancellationToken cancellation,
        Action<ProbeMiss>? missed = null)
        where T : class => CallAsync(to.Node, () => channels.To(to), call, timeout, cancellation, missed);

    /// <param name="to">Null: whoever answers.</param>
    private async Task<T?> CallAsync<T>(
        NodeId? to,
        Func<GrpcChannel> open,
        Func<Wire.Ring.RingClient, CallOptions, Task<T>> call,
        TimeSpan timeout,
        CancellationToken cancellation,
        Action<ProbeMiss>? missed = null)
        where T : class
    {
        GrpcChannel? channel = null;
        try
        {
            channel = open();
            var options = new CallOptions(deadline: DateTime.UtcNow + timeout, cancellationToken: cancellation);
            return await call(new Wire.Ring.RingClient(StrictAnswers.Of(channel)), options);
        }
        catch (RpcException fault)
        {
            if (MissOf(fault) is { } miss)
                missed?.Invoke(miss);
            cancellation.ThrowIfCancellationRequested();
            if (fault.StatusCode == StatusCode.PermissionDenied && channel is not null)
                denials.Refused(to, channel.Target);
            return null;
        }
        catch (Exception fault)
        {
            cancellation.ThrowIfCancellationRequested();
            if (fault is not (MalformedException or ObjectDisposedException)
                && _faultLines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out var unsaid))
                LogFault(fault, unsaid);
            return null;
        }
    }

    private static ProbeMiss? MissOf(RpcException fault) =>
        IsRefusal(fault.Status.DebugException) ? ProbeMiss.Refused
        : RingFaults.IsTooMany(fault) ? ProbeMiss.Busy
        : null;

    private static bool IsRefusal(Exception? cause)
    {
        for (; cause is not null; cause = cause.InnerException)
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
                return true;
        return false;
    }

    /// <summary>Who answered as its certificate says; only its address is its own word.</summary>
    internal static Pinged InPlace(Pinged answer, NodeCertificate? shown) => shown?.Node == answer.From.Peer.Node
        ? answer with { From = answer.From with { Peer = shown.At(answer.From.Peer.Address) } }
        : answer;

    private static Pinged ToCore(PingReply reply) => new(reply.Self.ToCore(), reply.Gossip.ToCore());

    [LoggerMessage(1008, LogLevel.Error,
        "an error of this program: a call to another node failed and counts as not answered; please report this "
        + "({Unsaid} more since the last line)")]
    private partial void LogFault(Exception fault, long unsaid);
}

/// <summary>The answer to a probe: who it was, and what it tells of others.</summary>
internal sealed record Pinged(Member From, ImmutableArray<Member> Gossip);

/// <summary>Why a probe got no answer.</summary>
internal enum ProbeMiss
{
    Silent,

    /// <summary>The machine is there and says that nobody listens.</summary>
    Refused,

    /// <summary>The node is there and says that it has too many calls.</summary>
    Busy,
}
