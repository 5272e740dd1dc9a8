using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>A question or a sentence from one process to another, or the answer to the question of that
/// number.</summary>
/// <param name="Call">0 when no answer is awaited.</param>
/// <param name="Told">What the sender's disk remembers.</param>
internal sealed record SwarmMessage(ulong Call, bool IsAnswer, object Body, DiskHistory Told) : ITraced
{
    public string TraceName => Body is Ask.Replica(var request) ? request.GetType().Name : Body.GetType().Name;

    public override string ToString() => $"{(IsAnswer ? "answer" : "call")} {Call}: {Body}";
}

/// <summary>What processes ask each other; the names are those of the protos.</summary>
internal static class Ask
{
    internal sealed record GetRing;

    internal sealed record Notify;

    internal sealed record Ping(Member From, ImmutableArray<Member> Gossip, bool WantAll, ulong Digest)
    {
        public override string ToString() => $"Ping with {Gossip.Length} records";
    }

    internal sealed record PingFor(Peer Target);

    internal sealed record FindSuccessor(RingId Point);

    /// <summary>To everybody in earshot: a node of this cluster is here. A hint, no more.</summary>
    internal sealed record Beacon(Peer Peer);

    /// <summary>The first frame of a link: nothing but what the disk remembers.</summary>
    internal sealed record Hello;

    /// <summary>The other end has seen more of this disk, or of another one in its place.</summary>
    internal sealed record Refused(DiskSighting Seen);

    /// <summary>The token that goes round the ring, its end, and what everybody is told when two have failed.</summary>
    internal sealed record Token(AuditToken Audit);

    internal sealed record TokenEnded(AuditToken Audit, string? Fault);

    internal sealed record RingFailed(NodeId Origin, ulong Number);

    internal sealed record Replica(ReplicaRequest Request);
}
