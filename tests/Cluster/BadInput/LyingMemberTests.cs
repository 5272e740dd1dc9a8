using System.Net;
using System.Net.Sockets;
using ChordChat.Core.Ring;
using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/security.md, "The gate": what a member cannot make another one do.</summary>
public sealed class LyingMemberTests : IAsyncLifetime
{
    private readonly Founded _cluster = Founded.Of(2);
    private RunningNode _node = null!;
    private GrpcChannel _member = null!;

    public async Task InitializeAsync()
    {
        _node = await _cluster.StartAsync("n1");
        _member = GrpcChannel.ForAddress(
            $"https://{_node.Node.Self.Address}",
            new() { HttpHandler = new ClusterTls(_cluster.Identity("n2")).CreateHandler(null) });
    }

    public async Task DisposeAsync()
    {
        _member.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task It_cannot_make_a_node_call_whomever_it_names()
    {
        using var bystander = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bystander.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        bystander.Listen();
        var there = $"{bystander.LocalEndPoint}";
        foreach (var victim in new[]
        {
            new Peer(new NodeId(7, 7), default, "nobody", there), _cluster.Identity("n2").Self.At(there),
        })
        {
            var ring = new Ring.RingClient(_member);
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await ring.PingForAsync(
                new PingForRequest { Target = ToWire(victim) }, deadline: DateTime.UtcNow.AddMinutes(1)));
            Assert.Equal(StatusCode.NotFound, refused.StatusCode);
            await ring.AuditAsync(Token(victim), deadline: DateTime.UtcNow.AddMinutes(1));
        }

        Assert.False(bystander.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectRead)); // Nobody knocked.
    }

    [Fact]
    public async Task A_flood_of_alarms_is_passed_on_and_shown_a_few_times_only()
    {
        var ring = new Ring.RingClient(_member);
        var self = _node.Node.Self;
        for (var number = 1UL; number <= 300; number++)
            await ring.AuditAsync(
                new() { Kind = AuditRequest.Types.Kind.Failed, Origin = ToWire(self), Number = number });
        await ring.AuditAsync(new()
        {
            Kind = AuditRequest.Types.Kind.Failed,
            Origin = ToWire(self with { Node = new NodeId(7, 7), Name = "made-up" }),
            Number = 1,
        });
        var shown = _node.Services.GetRequiredService<EventLog>().Newest
            .Where(happened => happened.Kind == "ring_audit_failed").ToList();
        Assert.InRange(shown.Count, 1, AuditAlarms.PerMinuteMax);
        Assert.All(shown, happened => Assert.Equal(self.Name, happened.Node));
    }

    [Fact]
    public async Task Names_that_would_move_a_cursor_are_refused()
    {
        var peer = _cluster.Identity("n2").Self.At("127.0.0.1:1") with { Name = "n2\u001b[2J" };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await new Ring.RingClient(_member)
            .NotifyAsync(new() { From = ToWire(peer) }, deadline: DateTime.UtcNow.AddMinutes(1)));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    /// <summary>A name that a node can have, for a member that it made up; the real n1 lives.</summary>
    [Fact]
    public async Task Of_members_that_it_invents_no_log_and_no_page_tells_anything()
    {
        var events = _node.Services.GetRequiredService<EventLog>();
        var invented = new Peer(new NodeId(7, 7), new RingId(7), "n1", "127.0.0.1:1");
        foreach (var (incarnation, health) in (
            (ulong, MemberRecord.Types.Health)[])[(1, MemberRecord.Types.Health.Alive),
            (1, MemberRecord.Types.Health.Suspect), (1, MemberRecord.Types.Health.Dead)])
            await new Ring.RingClient(_member).PingAsync(
                new()
                {
                    From = Record(_cluster.Identity("n2").Self.At("127.0.0.1:2"), 1, MemberRecord.Types.Health.Alive),
                    Gossip = { Record(invented, incarnation, health) },
                },
                deadline: DateTime.UtcNow.AddMinutes(1));
        await Condition.UntilAsync("n2 has joined", TimeSpan.FromSeconds(30), () =>
            Task.FromResult(events.Newest.Any(happened => happened.Text.StartsWith("n2 ", StringComparison.Ordinal))));
        Assert.NotNull(_node.Services.GetRequiredService<RingDriver>().Now.Find(invented.Node));
        Assert.DoesNotContain(events.Newest, happened => happened.Node == "n1");
    }

    /// <summary>One that has gone round three times: its origin is told.</summary>
    private static AuditRequest Token(Peer origin) => new()
    {
        Kind = AuditRequest.Types.Kind.Token,
        Origin = ToWire(origin),
        Number = 1,
        Count = 9,
        Wraps = (uint)RingAudit.WrapsMax,
        Previous = ByteString.CopyFrom([.. Enumerable.Repeat((byte)255, 16)]),
        Ids = ByteString.CopyFrom(new byte[16]),
    };

    private static MemberRecord Record(Peer peer, ulong incarnation, MemberRecord.Types.Health health) =>
        new() { Peer = ToWire(peer), Incarnation = incarnation, Health = health };

    private static WirePeer ToWire(Peer peer) => new()
    {
        NodeId = ByteString.CopyFrom(peer.Node.ToBytes()),
        Position = ByteString.CopyFrom(peer.Position.ToBytes()),
        Name = peer.Name,
        Address = peer.Address,
    };
}
