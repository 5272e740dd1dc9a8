using System.Collections.Immutable;
using System.Globalization;

namespace ChordChat.Core.Ring;

/// <summary>A peer on the way.</summary>
/// <param name="Why">Why it was named: <see cref="OwnArc"/>, <see cref="Successor"/>, <see cref="Cache"/> or
/// <see cref="Finger"/>.</param>
public sealed record RouteStep(Peer Peer, string Why)
{
    public const string OwnArc = "own arc";
    public const string Successor = "successor";
    public const string Cache = "cache";

    private const string FingerWord = "finger ";

    public static string Finger(int index) => string.Create(CultureInfo.InvariantCulture, $"{FingerWord}{index}");

    /// <summary>Whether a node of this version gives this reason.</summary>
    public static bool IsReason(string why) => why is OwnArc or Successor or Cache
        || (why.StartsWith(FingerWord, StringComparison.Ordinal)
            && byte.TryParse(
                why.AsSpan(FingerWord.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < RingId.Bits);
}

/// <summary>One node's answer to FindSuccessor.</summary>
/// <param name="Owner">The successor of the point, when this node can tell; otherwise null.</param>
/// <param name="Closer">Nodes before the point that are nearer to it than this node, nearest first.</param>
public sealed record RouteReply(RouteStep? Owner, ImmutableArray<RouteStep> Closer);

/// <summary>How one node answers FindSuccessor from what it knows; docs/protocol.md, "Ring: lookup".</summary>
public static class Routing
{
    /// <summary>How many nearer nodes are named at most.</summary>
    public const int CloserMax = 4;

    /// <param name="cache">Null: route by fingers and successors alone.</param>
    public static RouteReply Answer(RingState ring, FingerTable fingers, Membership? cache, RingId point)
    {
        var self = ring.Self.Position;
        if (point == self || ring.Predecessor is { } before && ring.Phase is RingPhase.Member
            && RingId.Between(before.Position, point, self))
            return new(new RouteStep(ring.Self, RouteStep.OwnArc), []);
        var owner = ring.Successors.FirstOrDefault(peer =>
            peer.Position == point || RingId.Between(self, point, peer.Position));
        return new(
            owner is not null ? new RouteStep(owner, RouteStep.Successor) : null,
            ClosestPreceding(ring, fingers, cache, point));
    }

    private static ImmutableArray<RouteStep> ClosestPreceding(
        RingState ring, FingerTable fingers, Membership? cache, RingId point)
    {
        var self = ring.Self.Position;
        var known = ring.Successors.Select(peer => new RouteStep(peer, RouteStep.Successor))
            .Concat(fingers.Distinct().Select(finger => new RouteStep(finger.Peer, RouteStep.Finger(finger.Index))))
            .Concat(cache is null ? [] : Before(cache, point));
        return [.. known.Where(step => RingId.Between(self, step.Peer.Position, point))
            .OrderBy(step => step.Peer.Position.DistanceTo(point)).DistinctBy(step => step.Peer.Node).Take(CloserMax)];
    }

    private static IEnumerable<RouteStep> Before(Membership cache, RingId point) => cache.Counterclockwise(point)
        .Where(member => member.IsReachable).Take(CloserMax)
        .Select(member => new RouteStep(member.Peer, RouteStep.Cache));
}
