using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: lookup".</summary>
public class LookupTests
{
    [Theory]
    [InlineData(1, 0.85)]
    [InlineData(8, -0.5)]
    public void A_lookup_with_perfect_fingers_takes_half_log2_N_hops(int successorCount, double beyond)
    {
        var ring = new PerfectRing(memberCount: 1000, successorCount, seed: 42);
        var random = new Prng(7);
        var hops = new List<int>();
        for (var i = 0; i < 1000; i++)
        {
            var point = new RingId(random.Next128());
            var lookup = ring.Look(random.Below(1000), point);
            Assert.Equal(ring.OwnerOf(point), Assert.IsType<LookupWant.Done>(lookup.Want).Owner);
            hops.Add(lookup.Hops.Length);
        }

        var expected = 0.5 * Math.Log2(1000) + beyond;
        Assert.InRange(hops.Average(), expected - 0.35, expected + 0.35);
        Assert.True(hops.Max() <= Lookup.StepsMax(1000, successorCount), $"{hops.Max()} hops");
    }

    [Fact]
    public void A_lookup_ends_at_the_owner_for_every_order_of_three_nodes_and_every_point()
    {
        UInt128[][] orders = [[1, 2, 3], [0, 5, UInt128.MaxValue], [7, UInt128.MaxValue - 1, UInt128.MaxValue]];
        foreach (var positions in orders)
        {
            var ring = new PerfectRing([.. positions.Select(Peers.At)], 2);
            var points = positions.SelectMany(at => new[] { at - 1, at, at + 1 }).Select(at => new RingId(at));
            foreach (var start in Enumerable.Range(0, 3))
                foreach (var point in points)
                    Assert.Equal(
                        ring.OwnerOf(point), Assert.IsType<LookupWant.Done>(ring.Look(start, point).Want).Owner);
        }
    }

    [Fact]
    public void A_lookup_goes_around_nodes_that_do_not_answer()
    {
        var ring = new PerfectRing(memberCount: 200, successorCount: 4, seed: 3);
        var random = new Prng(9);
        var done = 0;
        for (var i = 0; i < 200; i++)
        {
            var point = new RingId(random.Next128());
            var lookup = ring.Look(random.Below(200), point, peer => (uint)peer.Node.Low % 5 == 0);
            if (lookup.Want is LookupWant.Done(var owner) && owner == ring.OwnerOf(point))
                done++;
            Assert.DoesNotContain(lookup.Hops.SkipLast(1), hop => (uint)hop.Step.Peer.Node.Low % 5 == 0);
        }

        Assert.True(done > 190, $"{done} of 200 found the owner with every fifth node silent");
    }

    [Fact]
    public void An_answer_without_progress_is_not_followed()
    {
        var far = new RouteStep(Peers.At(40), "finger 5");
        var near = new RouteStep(Peers.At(90), "cache");
        var lookup = Lookup.Start(Peers.At(0), new RingId(100), new RouteReply(null, [near, far]), 10);
        Assert.Equal(new LookupWant.Ask(near.Peer), lookup.Want);
        lookup = lookup.Answered(new RouteReply(null, [far]));
        Assert.IsType<LookupWant.Failed>(lookup.Want);
    }

    [Fact]
    public void Every_hop_says_who_named_it_and_why()
    {
        var first = new RouteStep(Peers.At(50), "finger 5");
        var last = new RouteStep(Peers.At(101), "successor");
        var lookup = Lookup.Start(Peers.At(0), new RingId(100), new RouteReply(null, [first]), 10)
            .Answered(new RouteReply(last, []));
        Assert.Equal<LookupHop>(
            [new LookupHop(Peers.At(0), first), new LookupHop(Peers.At(50), last)], [.. lookup.Hops]);
    }

    [Fact]
    public void Liars_cannot_keep_a_lookup_busy_beyond_its_limit()
    {
        var lookup = Lookup.Start(
            Peers.At(0), new RingId(1_000_000), new RouteReply(null, [new RouteStep(Peers.At(1), "cache")]), 12);
        var asked = 0;
        while (lookup.Want is LookupWant.Ask(var peer))
        {
            asked++;
            lookup = lookup.Answered(new RouteReply(null, [new RouteStep(Peers.At(peer.Position.Value + 1), "cache")]));
        }

        Assert.Equal(12, asked);
    }

    /// <summary>Every node knows its neighbours and fingers exactly.</summary>
    private sealed class PerfectRing(Peer[] peers, int successorCount)
    {
        private readonly Peer[] _peers = [.. peers.OrderBy(peer => peer.Position)];
        private readonly Dictionary<NodeId, (RingState State, FingerTable Fingers)> _beliefs = [];

        public PerfectRing(int memberCount, int successorCount, ulong seed)
            : this(Scattered(memberCount, seed), successorCount)
        {
        }

        public Peer OwnerOf(RingId point) => _peers.FirstOrDefault(peer => peer.Position >= point) ?? _peers[0];

        public Lookup Look(int start, RingId point, Func<Peer, bool>? isSilent = null)
        {
            var steps = Lookup.StepsMax(_peers.Length, successorCount);
            var lookup = Lookup.Start(_peers[start], point, Answer(_peers[start], point), steps);
            while (lookup.Want is LookupWant.Ask(var peer))
                lookup = isSilent?.Invoke(peer) is true ? lookup.Unreachable() : lookup.Answered(Answer(peer, point));
            return lookup;
        }

        private RouteReply Answer(Peer self, RingId point)
        {
            if (!_beliefs.TryGetValue(self.Node, out var belief))
                _beliefs[self.Node] = belief = (Neighbours(self), PerfectFingers(self));
            return Routing.Answer(belief.State, belief.Fingers, null, point);
        }

        private RingState Neighbours(Peer self)
        {
            var i = Array.IndexOf(_peers, self);
            var others = Math.Min(successorCount, _peers.Length - 1);
            return RingState.Starting(self) with
            {
                Phase = RingPhase.Member,
                Successors = [.. Enumerable.Range(1, others).Select(k => _peers[(i + k) % _peers.Length])],
                Predecessor = _peers[(i + _peers.Length - 1) % _peers.Length],
            };
        }

        private FingerTable PerfectFingers(Peer self)
        {
            var fingers = FingerTable.Of(self);
            do
                fingers = fingers.Fix(OwnerOf(fingers.NextStart));
            while (fingers.Next != 0);
            return fingers;
        }

        private static Peer[] Scattered(int count, ulong seed)
        {
            var random = new Prng(seed);
            return [.. Enumerable.Range(0, count).Select(_ => Peers.At(random.Next128()))];
        }
    }
}
