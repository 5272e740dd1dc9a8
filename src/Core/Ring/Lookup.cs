using System.Collections.Immutable;
using System.Numerics;

namespace ChordChat.Core.Ring;

/// <summary>One node that a lookup asked, and who named it.</summary>
/// <param name="By">The node that named <paramref name="Step"/>.</param>
public sealed record LookupHop(Peer By, RouteStep Step);

/// <summary>What a lookup wants next.</summary>
public abstract record LookupWant
{
    private LookupWant() { }

    /// <summary>Ask <paramref name="Peer"/> FindSuccessor; go on with Answered or Unreachable.</summary>
    public sealed record Ask(Peer Peer) : LookupWant;

    /// <summary>The end: who follows the point. The last hop leads to it.</summary>
    public sealed record Done(Peer Owner) : LookupWant;

    /// <summary>The end: nobody left to ask, or too many asked.</summary>
    public sealed record Failed(string Why) : LookupWant;
}

/// <summary>An iterative lookup: the asker holds every step in its own hands. Immutable.</summary>
/// <remarks>
/// A node is asked only when it is strictly nearer before the point than every node that answered so far; when that
/// fails or does not answer, the next best candidate takes its place. So it ends, whatever the answers say.
/// docs/protocol.md, "Ring: lookup".
/// </remarks>
public sealed record Lookup
{
    public required RingId Point { get; init; }

    /// <summary>The way that was gone, for a page to draw; peers that did not answer are not on it.</summary>
    public ImmutableArray<LookupHop> Hops { get; init; } = [];

    /// <summary>What to do next.</summary>
    public required LookupWant Want { get; init; }

    public ImmutableArray<Peer> Unreached { get; init; } = [];

    private ImmutableArray<LookupHop> Candidates { get; init; } = [];

    private ImmutableHashSet<NodeId> Visited { get; init; } = [];

    private UInt128 Nearest { get; init; } = UInt128.MaxValue;

    private LookupHop? Asked { get; init; }

    private int StepsLeft { get; init; }

    /// <summary>2 (log2 N + 1) + r, log2 rounded down: how many nodes a lookup may ask.</summary>
    public static int StepsMax(int memberCount, int successorCount) =>
        2 * (BitOperations.Log2((uint)Math.Max(memberCount, 1)) + 1) + successorCount;

    /// <summary>Starts with what the asking node itself would answer.</summary>
    public static Lookup Start(Peer self, RingId point, RouteReply own, int stepsMax) =>
        new Lookup
        {
            Point = point,
            Want = new LookupWant.Failed("not begun"),
            StepsLeft = stepsMax,
            Visited = [self.Node],
            Nearest = self.Position.DistanceTo(point),
        }.Judge(self, own);

    /// <summary>The peer that <see cref="Want"/> named has answered.</summary>
    public Lookup Answered(RouteReply reply)
    {
        if (Asked is not { } hop)
            return this;
        var distance = hop.Step.Peer.Position.DistanceTo(Point);
        return (this with { Hops = Hops.Add(hop), Asked = null, Nearest = UInt128.Min(Nearest, distance) })
            .Judge(hop.Step.Peer, reply);
    }

    /// <summary>The peer that <see cref="Want"/> named did not answer in time.</summary>
    public Lookup Unreachable() => Asked is not { } hop ? this
        : (this with { Asked = null, Unreached = Unreached.Add(hop.Step.Peer) }).AskNext();

    private Lookup Judge(Peer by, RouteReply reply)
    {
        if (reply.Owner is { } owner && !Unreached.Contains(owner.Peer))
            return this with
            {
                Want = new LookupWant.Done(owner.Peer),
                Hops = owner.Peer == by ? Hops : Hops.Add(new LookupHop(by, owner)),
            };
        var more = reply.Closer.Select(step => new LookupHop(by, step));
        return (this with { Candidates = Candidates.AddRange(more) }).AskNext();
    }

    private Lookup AskNext()
    {
        var left = Candidates.Where(hop => !Visited.Contains(hop.Step.Peer.Node)
            && hop.Step.Peer.Position.DistanceTo(Point) < Nearest).ToImmutableArray();
        if (left.MinBy(hop => hop.Step.Peer.Position.DistanceTo(Point)) is not { } next)
            return this with { Want = new LookupWant.Failed("nobody nearer answers"), Candidates = [] };
        if (StepsLeft == 0)
            return this with { Want = new LookupWant.Failed("too many steps") };
        return this with
        {
            Want = new LookupWant.Ask(next.Step.Peer),
            Asked = next,
            Candidates = left.Remove(next),
            Visited = Visited.Add(next.Step.Peer.Node),
            StepsLeft = StepsLeft - 1,
        };
    }
}
