using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>docs/protocol.md, "Ring: audit".</summary>
public class AuditTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    [Theory, InlineData(7), InlineData(10), InlineData(41)]
    public void An_exact_ring_passes(int count)
    {
        var ring = new SimulatedRing(1, new RingOptions { SuccessorCount = 3 });
        ring.AddExact(Enumerable.Range(0, count).Select(i => (UInt128)i * 100));
        Know(ring, (_, _) => true);
        Assert.Equal(("n1", null), Walk(ring));
    }

    [Theory, InlineData(2, 11), InlineData(2, 31), InlineData(3, 16), InlineData(5, 31)]
    public void First_successors_that_wind_round_more_than_once_pass_every_local_check_and_not_the_audit(
        int windings, int count)
    {
        var ring = Loopy(windings, count);
        ring.World.Run(Long);
        Assert.All(ring.Members, node => Assert.Equal(node.Ring.Self, ring[node.Ring.Successor!].Ring.Predecessor));
        Assert.NotNull(new RingChecker(ring).Inexactness()); // Stabilizing alone does not mend it.

        var (_, fault) = Walk(ring);
        Assert.Contains(windings <= RingAudit.WrapsMax ? $"wind {windings} times" : "3 times past its origin", fault);

        ring.Members.ToList().ForEach(node => node.Feed(new RingInput.AuditFailed()));
        ring.World.Run(Long);
        var inexact = new RingChecker(ring).Inexactness();
        Assert.True(inexact is null, ring.World.Failure(inexact ?? ""));
        Assert.Null(Walk(ring).Fault);
    }

    [Fact]
    public void A_ring_that_lacks_reachable_members_does_not_pass()
    {
        var ring = new SimulatedRing(1, new RingOptions { SuccessorCount = 3 });
        ring.AddExact(Enumerable.Range(0, 10).Select(i => (UInt128)i * 100));
        var stranger = ring.Add(555);
        Know(ring, (_, _) => true);
        var (_, fault) = Walk(ring);
        Assert.Equal("the ring has 10 nodes, but 11 are reachable", fault);
        Assert.Equal(RingPhase.Joining, stranger.Ring.Phase);
    }

    [Fact]
    public void A_token_that_meets_a_node_outside_the_ring_proves_nothing()
    {
        var ring = new SimulatedRing(1, new RingOptions { SuccessorCount = 3 });
        ring.AddExact(Enumerable.Range(0, 10).Select(i => (UInt128)i * 100));
        ring[5].Feed(new RingInput.LeaveDue());
        Know(ring, (_, _) => true);
        var origin = ring[0].Ring;
        var step = RingAudit.Start(origin, 1);
        while (step is AuditStep.Forward(var to, var token))
            step = RingAudit.Pass(ring[to].Ring, token);
        Assert.IsType<AuditStep.Lost>(step);
    }

    /// <summary>Each node's cache lacks just those whom its first successor passes over: nothing local can
    /// tell.</summary>
    private static SimulatedRing Loopy(int windings, int count)
    {
        var ring = new SimulatedRing(3, new RingOptions { SuccessorCount = 3 });
        // In steps of so many from node to node, as often round as it takes to meet all.
        ring.AddExact(Enumerable.Range(0, count).Select(i => (UInt128)i * 100), windings: windings);
        Know(ring, (node, other) => !RingId.Between(
            node.Ring.Self.Position, other.Position, node.Ring.Successor!.Position));
        return ring;
    }

    private static void Know(SimulatedRing ring, Func<SimulatedNode, Peer, bool> knows)
    {
        foreach (var node in ring.Running)
        {
            var live = ring.Peers.Where(peer => peer != node.Ring.Self && knows(node, peer));
            node.Feed(new RingInput.MembersKnown([.. live], ring.Peers.Count, []));
        }
    }

    /// <summary>The first of all sends the token; whoever has it passes it on.</summary>
    private static (string Origin, string? Fault) Walk(SimulatedRing ring)
    {
        var origin = Assert.Single(ring.Members, node => RingAudit.IsOrigin(node.Ring)).Ring;
        var step = RingAudit.Start(origin, 1);
        for (var steps = 0; step is AuditStep.Forward(var to, var token); steps++)
        {
            Assert.True(steps < 1000, "the token goes on for ever");
            step = RingAudit.Pass(ring[to].Ring, token);
        }

        return (origin.Self.Name, Assert.IsType<AuditStep.Ended>(step).Fault);
    }
}
