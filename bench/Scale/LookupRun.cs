using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Bench.Scale;

/// <summary>Lookups in an exact ring of any size: a node's view is made when the lookup comes to it.</summary>
/// <remarks>Successors and fingers are exact. A cache holds everybody, or so many members drawn at random for each
/// node.</remarks>
internal sealed class LookupRun
{
    private readonly Prng _random = new(8241);
    private readonly Peer[] _order;
    private readonly Dictionary<NodeId, int> _places = [];
    private readonly Dictionary<int, (RingState, FingerTable, Membership?)> _views = [];
    private readonly RingOptions _options;
    private readonly int _cached;

    /// <param name="cached">Members in each node's cache; 0: none.</param>
    public LookupRun(int nodeCount, int successorCount, int cached)
    {
        _options = new RingOptions { SuccessorCount = successorCount };
        _cached = Math.Min(cached, nodeCount - 1);
        _order = [.. Enumerable.Range(0, nodeCount).Select(i => PeerAt(i, _random)).OrderBy(peer => peer.Position)];
        for (var i = 0; i < _order.Length; i++)
            _places[_order[i].Node] = i;
    }

    /// <summary>Hops of so many lookups from random nodes to random points; the last hop, to the owner, counts.
    /// </summary>
    public (double Mean, int Max) Measure(int lookupCount)
    {
        var hops = Enumerable.Range(0, lookupCount).Select(_ => Hops()).ToArray();
        return (hops.Average(), hops.Max());
    }

    public static Peer PeerAt(int number, Prng random) => new(
        new NodeId(0, (UInt128)number + 1), new RingId(PointOf(random)), $"n{number + 1}", "10.11.12.13:7401");

    private static UInt128 PointOf(Prng random) => ((UInt128)random.Next() << 64) | random.Next();

    private int Hops()
    {
        var start = (int)(_random.Next() % (ulong)_order.Length);
        var point = new RingId(PointOf(_random));
        var steps = Lookup.StepsMax(_order.Length, _options.SuccessorCount);
        var lookup = Lookup.Start(_order[start], point, Answer(start, point), steps);
        while (lookup.Want is LookupWant.Ask(var peer))
            lookup = lookup.Answered(Answer(_places[peer.Node], point));
        return lookup.Want is LookupWant.Done(var owner) && owner == OwnerOf(point)
            ? lookup.Hops.Length
            : throw new BenchFailedException($"a lookup in an exact ring ended with {lookup.Want}");
    }

    private RouteReply Answer(int place, RingId point)
    {
        if (!_views.TryGetValue(place, out var view))
            _views[place] = view = ViewOf(place);
        return Routing.Answer(view.Item1, view.Item2, view.Item3, point);
    }

    private (RingState, FingerTable, Membership?) ViewOf(int place)
    {
        var self = _order[place];
        var ring = RingState.Starting(self, _options) with
        {
            Phase = RingPhase.Member,
            Predecessor = At(place - 1),
            Successors = [.. Enumerable.Range(1, Math.Min(_options.SuccessorCount, _order.Length - 1))
                .Select(step => At(place + step))],
        };
        var fingers = FingerTable.Of(self);
        do
            fingers = fingers.Fix(OwnerOf(fingers.NextStart));
        while (fingers.Next != 0);
        return (ring, fingers, _cached == 0 ? null : CacheOf(self));
    }

    private Membership CacheOf(Peer self)
    {
        IEnumerable<Peer> known = _order;
        if (_cached < _order.Length - 1)
            known = Enumerable.Range(0, _cached).Select(_ => _order[(int)(_random.Next() % (ulong)_order.Length)]);
        return CacheWith(self, known.Distinct()).Members;
    }

    /// <summary>A cache that has heard these members, all alive.</summary>
    public static MembershipState CacheWith(Peer self, IEnumerable<Peer> known)
    {
        var records = known.Where(peer => peer != self).OrderBy(peer => peer.Position)
            .Select(peer => new Member(peer, 1, Health.Alive, 0)).ToImmutableArray();
        var empty = MembershipState.Starting(self, 1, 0, TimeSpan.Zero);
        var heard = new MembershipInput.Acked(TimeSpan.Zero, 0, empty.Members.Own, records);
        var (state, _) = MembershipProtocol.Step(empty, heard, new Prng(1));
        return state with { Synced = true, Rumours = ImmutableSortedDictionary<NodeId, int>.Empty };
    }

    private Peer At(int place) => _order[(place + _order.Length) % _order.Length];

    private Peer OwnerOf(RingId point)
    {
        int low = 0, high = _order.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_order[middle].Position < point)
                low = middle + 1;
            else
                high = middle;
        }

        return At(low);
    }
}
