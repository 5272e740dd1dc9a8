using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Ring;

/// <summary>What other nodes ask this one about the ring. Who asks is read from the certificate.</summary>
internal sealed class RingService(
    RingDriver ring, RingAuditor auditor, RingCalls calls, SelfDescription describe, DenyListNews denials,
    SettingNews settings, CallersInLine line, RingPaces paces)
    : Wire.Ring.RingBase
{
    private static readonly TimeSpan HelpTimeout = TimeSpan.FromMilliseconds(500);

    public override async Task<RingReply> GetRing(GetRingRequest request, ServerCallContext context)
    {
        Check(paces.GetRing, context);
        using var place = line.Enter(context.GetPeerNodeId());
        return (await ring.ReadAsync(context.CancellationToken)).ToWire();
    }

    public override async Task<NotifyReply> Notify(NotifyRequest request, ServerCallContext context)
    {
        using var place = line.Enter(context.GetPeerNodeId());
        await ring.GiveAsync(new RingInput.Notified(Caller(request.From, context)), context.CancellationToken);
        return new NotifyReply();
    }

    public override Task<FindSuccessorReply> FindSuccessor(FindSuccessorRequest request, ServerCallContext context)
    {
        Check(paces.FindSuccessor, context);
        var now = ring.Now;
        var point = Checked(() => request.Position.ToRingId());
        return Task.FromResult(Routing.Answer(now.Ring, now.Fingers, null, point).ToWire());
    }

    public override async Task<PingReply> Ping(PingRequest request, ServerCallContext context)
    {
        using var place = line.Enter(context.GetPeerNodeId());
        var claimed = Checked(() => request.From.ToCore());
        var from = claimed with { Peer = Caller(request.From.Peer, context) };
        var gossip = Checked(() => request.Gossip.ToCore());
        calls.Follow(from.Peer.Node, request.Disk);
        denials.Heard(from.Peer.Node, request.DenyNumber, ring.Now.Find(from.Peer.Node)?.Address);
        settings.Hear(from.Peer.Node, from.Peer.Name, request.Settings);
        var reply = await ring.PingedAsync(from, gossip, request.WantAll, request.Digest, context.CancellationToken);
        return new PingReply
        {
            Self = reply.Self.ToWire(),
            Disk = calls.OwnDisk,
            DenyNumber = denials.Own,
            Settings = { settings.Own },
            Gossip = { reply.Gossip.Select(member => member.ToWire()) },
        };
    }

    public override async Task<PingForReply> PingFor(PingForRequest request, ServerCallContext context)
    {
        Check(paces.PingFor, context);
        var asked = Checked(() => request.Target.ToCore());
        // Whoever asks chooses a member, never an address: this node calls nobody on another one's word.
        if (ring.Now.Find(asked.Node) is not { } target || target.Address != asked.Address)
            throw new RpcException(new Status(StatusCode.NotFound, "no member is known at this address"));
        var isAlive = await calls.AskAliveAsync(
            target, ring.Now.Members.Own, HelpTimeout, context.CancellationToken);
        return new PingForReply { Answered = isAlive };
    }

    public override Task<AuditReply> Audit(AuditRequest request, ServerCallContext context)
    {
        var news = Checked(request.ToCore);
        if (paces.Audit.Allows(context.GetPeerNodeId())) // Else it is lost, as any token may be.
            auditor.Hear(news);
        return Task.FromResult(new AuditReply());
    }

    public override async Task<DescribeReply> Describe(DescribeRequest request, ServerCallContext context)
    {
        Check(paces.Describe, context);
        try
        {
            return await describe(context.CancellationToken);
        }
        catch (OverloadedException e)
        {
            throw RingFaults.TooMany(e.Message);
        }
    }

    /// <summary>The caller as its certificate says; only its address is its own word.</summary>
    private static Peer Caller(WirePeer? claimed, ServerCallContext context)
    {
        var peer = Checked(() => claimed.ToCore());
        var proven = context.GetPeerNode();
        return new Peer(proven.Node, proven.Position, proven.Name, peer.Address);
    }

    private static void Check(CallPace pace, ServerCallContext context)
    {
        if (!pace.Allows(context.GetPeerNodeId()))
            throw RingFaults.TooMany("this node asks too often");
    }

    private static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MalformedException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }
}

/// <summary>What this node says of itself to others that draw the cluster.</summary>
internal delegate Task<DescribeReply> SelfDescription(CancellationToken cancellation);
