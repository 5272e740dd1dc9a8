using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>docs/protocol.md, "Ring: read-abort" and "Ten mistakes": everybody asks at the same moment, and an answer
/// takes almost as long as anybody waits for one.</summary>
public class CircularWaitTests
{
    [Fact]
    public void A_ring_in_step_makes_progress() => Assert.Null(Inexactness(RingProtocol.Step));

    [Fact]
    public void It_does_not_when_whoever_asks_gives_no_answers() =>
        Assert.NotNull(Inexactness(RingMutants.BlockWhileAsking));

    private static string? Inexactness(RingStep step)
    {
        var ring = new SimulatedRing(1, new RingOptions
        {
            SuccessorCount = 3,
            StabilizeInterval = TimeSpan.FromDays(1),
        }, step);
        ring.World.Network.DelayMin = ring.World.Network.DelayMax = TimeSpan.FromMilliseconds(400);
        ring.AddExact(Enumerable.Range(0, 8).Select(i => (UInt128)i * 100));
        foreach (var position in new[] { 110, 120, 450 })
            ring.Add((UInt128)position).Feed(new RingInput.MembersKnown([ring.PeerOf(0)], 0, []));
        for (var round = 0; round < 60; round++)
        {
            foreach (var node in ring.Running.ToList())
                node.Feed(new RingInput.StabilizeDue());
            ring.World.Run(TimeSpan.FromSeconds(2));
        }

        return ring.Members.Count() < 11 ? "somebody is outside" : new RingChecker(ring).Inexactness();
    }
}
