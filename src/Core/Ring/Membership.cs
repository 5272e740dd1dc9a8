using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>The membership cache: every member this node has heard of, in clockwise order. Immutable.</summary>
/// <remarks>docs/protocol.md, "Ring: membership cache". It is a hint: no data operation trusts it.</remarks>
public sealed class Membership
{
    private readonly ImmutableArray<Member> _byPosition;
    private readonly ImmutableDictionary<NodeId, RingId> _positions;

    private Membership(Peer self, ImmutableArray<Member> byPosition, ImmutableDictionary<NodeId, RingId> positions) =>
        (Self, _byPosition, _positions) = (self, byPosition, positions);

    public Peer Self { get; }

    /// <summary>Every record, this node's own included, in the order of positions.</summary>
    public ImmutableArray<Member> All => _byPosition;

    /// <summary>This node's own record.</summary>
    public Member Own => this[Self.Node]!;

    public static Membership Of(Member own) =>
        new Membership(own.Peer, [], ImmutableDictionary<NodeId, RingId>.Empty).With(own);

    public Member? this[NodeId node] =>
        _positions.TryGetValue(node, out var position) ? _byPosition[IndexAt(position)] : null;

    /// <summary>Who stands exactly at a point.</summary>
    public Member? At(RingId position) => IndexAt(position) is var index && index < _byPosition.Length
        && _byPosition[index].Peer.Position == position ? _byPosition[index] : null;

    /// <summary>N: members on record, for the small-ring rule and the limits that grow with N.</summary>
    public int Count => _byPosition.Count(member => member.IsOnRecord);

    /// <summary>The other members that answer as far as known, clockwise from position 0.</summary>
    public ImmutableArray<Peer> Live =>
        [.. _byPosition.Where(member => member.IsReachable && member.Peer != Self).Select(member => member.Peer)];

    /// <summary>All members from <paramref name="point"/> clockwise, each once; one exactly at the point is
    /// first.</summary>
    public IEnumerable<Member> Clockwise(RingId point)
    {
        var start = IndexAt(point);
        for (var i = 0; i < _byPosition.Length; i++)
            yield return _byPosition[(start + i) % _byPosition.Length];
    }

    /// <summary>All members that stand before <paramref name="point"/>, the nearest first.</summary>
    public IEnumerable<Member> Counterclockwise(RingId point)
    {
        var start = IndexAt(point);
        for (var i = 1; i <= _byPosition.Length; i++)
            yield return _byPosition[(start - i + _byPosition.Length) % _byPosition.Length];
    }

    /// <summary>The reachable member that follows <paramref name="point"/>, this node included.</summary>
    public Peer? Successor(RingId point) => Clockwise(point).FirstOrDefault(member => member.IsReachable)?.Peer;

    /// <summary>Who should keep a tile: the first <paramref name="count"/> members clockwise from its start that may be
    /// given tiles, the owner first; fewer when there are no more, and nobody while a founder among them may yet be
    /// heard.</summary>
    /// <remarks>A wish for stewards, never the authority: that is the tile's configuration.</remarks>
    /// <param name="keepers">The tile's members of now. They do not count as newcomers to it, however recently this
    /// node first heard of them, and they keep it whatever others say about them. Others get it only while nobody
    /// doubts them.</param>
    /// <param name="passedOver">Others who do not get it now.</param>
    public ImmutableArray<Peer> Placement(
        RingId start, int count, TimeSpan now, TimeSpan quarantine, ImmutableArray<NodeId> keepers = default,
        IReadOnlySet<NodeId>? passedOver = null)
    {
        var chosen = Clockwise(start)
            .Where(member => keepers.IsDefault ? MayHoldTiles(member, now, quarantine)
                : keepers.Contains(member.Peer.Node) && member.WasHeard ? MayKeepTiles(member)
                : passedOver?.Contains(member.Peer.Node) != true
                    && member.Health is not Health.Suspect && MayHoldTiles(member, now, quarantine))
            .Take(count).ToArray();
        return chosen.All(member => member.WasHeard) ? [.. chosen.Select(member => member.Peer)] : [];
    }

    /// <summary>Alive or only suspected, known for longer than the quarantine of newcomers, and it has spoken here:
    /// others may have made it up. A founder that nobody has heard, only for that long after the start.</summary>
    public static bool MayHoldTiles(Member member, TimeSpan now, TimeSpan quarantine) =>
        member.IsOnRecord && member.Health is not Health.Leaving && now - member.KnownSince >= quarantine
        && (member.WasHeard ? member.Spoken > 0 : now - member.ChangedAt < quarantine);

    private static bool MayKeepTiles(Member member) =>
        member.Health is Health.Alive or Health.Suspect || !member.IsReplaceable;

    /// <summary>A number that is equal for equal beliefs; differs for different ones but for 1 in 2^64 cases.</summary>
    public ulong Digest => _byPosition.Where(member => member.WasHeard).Aggregate(0UL, (sum, member) => unchecked(sum
        + new Prng(
            (ulong)member.Peer.Node.Low ^ new Prng(member.Incarnation * 8 + (ulong)member.Health).Next()).Next()));

    /// <summary>The cache with this record in place of the one it had; another node's position is refused.</summary>
    internal Membership With(Member member)
    {
        var index = IndexAt(member.Peer.Position);
        var taken = index < _byPosition.Length && _byPosition[index].Peer.Position == member.Peer.Position;
        if (taken && _byPosition[index].Peer != member.Peer)
            return this;
        return new Membership(
            member.Peer == Self ? member.Peer : Self,
            taken ? _byPosition.SetItem(index, member) : _byPosition.Insert(index, member),
            taken ? _positions : _positions.Add(member.Peer.Node, member.Peer.Position));
    }

    internal Membership Without(NodeId node) => _positions.TryGetValue(node, out var position)
        ? new Membership(Self, _byPosition.RemoveAt(IndexAt(position)), _positions.Remove(node))
        : this;

    /// <summary>The index of the first record at or after <paramref name="point"/>; the length when there is
    /// none.</summary>
    private int IndexAt(RingId point)
    {
        int low = 0, high = _byPosition.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_byPosition[middle].Peer.Position < point)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
