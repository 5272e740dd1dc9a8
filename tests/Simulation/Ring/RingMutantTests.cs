using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>Would the checks notice? Of 100 seeds the join of 2001 breaks 62, and pointers adopted unseen leave all 100
/// inexact. Without read-abort none breaks as long as there is a spare; docs/protocol.md, "Ring: read-abort".</summary>
public class RingMutantTests
{
    [Fact]
    public void A_join_that_knows_one_successor_breaks_the_invariant() =>
        Assert.Contains("I1: ", FirstFault(RingMutants.OriginalJoin), StringComparison.Ordinal);

    [Fact]
    public void Pointers_adopted_unseen_keep_the_ring_from_becoming_exact() =>
        Assert.Contains("not exact", FirstFault(RingMutants.AdoptUnseen), StringComparison.Ordinal);

    private static string FirstFault(RingStep mutant)
    {
        for (var seed = 1UL; seed <= 20; seed++)
            if (new RingChurn(seed, mutant).Run(TimeSpan.FromSeconds(20)) is { } fault)
                return fault;
        return "20 seeds found nothing";
    }
}
