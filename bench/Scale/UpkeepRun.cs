using ChordChat.Core.Ring;
using ChordChat.Tests.Simulation.Ring;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Bench.Scale;

/// <summary>What a large ring costs when nothing happens, and how long it takes to mend after a tenth of it has died.
/// </summary>
/// <remarks>The protocol's own code in the tests' world. Bytes are those of the protobuf messages, made with names and
/// addresses of usual length, plus <see cref="FramingBytes"/>. Finger lookups are not simulated; see
/// <see cref="FingerBytes"/>.</remarks>
internal sealed class UpkeepRun
{
    /// <summary>Estimate for a small gRPC message on a warm connection: HTTP/2, TLS, TCP and IP headers.</summary>
    public const int FramingBytes = 160;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);
    private static readonly int RecordBytes = new MemberRecord
    {
        Peer = SampleOf(),
        Incarnation = 1 << 24,
        Health = MemberRecord.Types.Health.Alive,
        JoinedAtMs = 1_795_000_000_000,
    }.CalculateSize();

    private readonly SimulatedRing _ring;
    private readonly int _nodeCount;
    private long _bytes;

    /// <param name="withCaches">Whether the nodes keep membership caches, which is what large memories are for.</param>
    public UpkeepRun(int nodeCount, int successorCount, bool withCaches)
    {
        _nodeCount = nodeCount;
        _ring = new SimulatedRing(8241, new RingOptions { SuccessorCount = successorCount });
        var random = new Prng(8241);
        var positions = Enumerable.Range(0, nodeCount).Select(i => LookupRun.PeerAt(i, random).Position.Value);
        Func<Peer, MembershipState>? cache = withCaches ? self => LookupRun.CacheWith(self, _ring.Peers) : null;
        _ring.AddExact(positions.ToList(), cache);
        foreach (var node in _ring.Running.Where(node => node.Cache is not null))
            node.Feed(node.Cache!.ForRing());
        _ring.World.OnSent = message => _bytes += FramingBytes + SizeOf(message);
    }

    /// <summary>Bytes that a node sends each second while all is well, without finger lookups.</summary>
    public double MeasureCalm(TimeSpan duration)
    {
        _ring.World.Run(TimeSpan.FromSeconds(5));
        _bytes = 0;
        _ring.World.Run(duration);
        return _bytes / duration.TotalSeconds / _nodeCount;
    }

    /// <summary>Kills every tenth node at once. Gives the time until every survivor's first successor lives, and until
    /// every list and predecessor is exact.</summary>
    public (TimeSpan Whole, TimeSpan Exact) MeasureMending(TimeSpan limit)
    {
        var begun = _ring.World.Now;
        for (var node = 0; node < _nodeCount; node += 10)
            _ring.World.Crash(node);
        if (!RunUntil(() => _ring.Running.All(HasLivingSuccessor), limit))
            throw new BenchFailedException($"not whole {limit} after a tenth died");
        var whole = _ring.World.Now - begun;
        if (!RunUntil(() => new RingChecker(_ring).Inexactness() is null, limit))
            throw new BenchFailedException(
                $"not exact {limit} after a tenth died: {new RingChecker(_ring).Inexactness()}");
        return (whole, _ring.World.Now - begun);
    }

    /// <summary>Bytes a second for the finger lookup of each second, at so many hops: a question and an answer with
    /// four nearer nodes for each hop but the last, which is not asked.</summary>
    public static double FingerBytes(double hops)
    {
        var question = new FindSuccessorRequest { Position = Bytes(16) }.CalculateSize();
        var route = new WireRoute { Peer = SampleOf(), Why = "finger 120" };
        var answer = new FindSuccessorReply { Closer = { route, route, route, route } }.CalculateSize();
        return Math.Max(0, hops - 1) * (question + answer + (2 * FramingBytes));
    }

    private bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        for (var end = _ring.World.Now + limit; !condition(); _ring.World.Run(Tick))
            if (_ring.World.Now >= end)
                return false;
        return true;
    }

    private bool HasLivingSuccessor(SimulatedNode node) =>
        node.Ring.Successor is { } next && _ring.World.IsUp(_ring.NumberOf(next));

    private static int SizeOf(RingMessage message) => message.Body switch
    {
        Request.Ping(var ping) => 12 + ((RecordBytes + 2) * (1 + ping.Gossip.Length)),
        Request.Pong(var pong) => (RecordBytes + 2) * (1 + pong.Gossip.Length),
        RingAnswer told => 8 + ((SampleOf().CalculateSize() + 2) * (1 + told.Successors.Length)),
        Request.GetRing or Request.Notify or Request.PingFor => SampleOf().CalculateSize() + 2,
        _ => 2,
    };

    private static WirePeer SampleOf() => new()
    {
        NodeId = Bytes(32),
        Position = Bytes(16),
        Name = "node-17",
        Address = "10.11.12.13:7401",
    };

    private static ByteString Bytes(int count) => ByteString.CopyFrom(new byte[count]);
}
