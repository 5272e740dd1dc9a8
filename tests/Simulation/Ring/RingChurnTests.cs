using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>docs/protocol.md, "Ring: state" to "Ring: join": Zave's invariant after every change, then an exact
/// ring.</summary>
public class RingChurnTests
{
    public static TheoryData<ulong> SeedsToRun => [.. Seeds.Take(100)];

    [Theory, MemberData(nameof(SeedsToRun))]
    public void Ring_keeps_the_invariant_under_churn_and_is_exact_once_it_stops(ulong seed)
    {
        var fault = new RingChurn(seed, hasCache: seed % 2 == 0).Run(TimeSpan.FromSeconds(20));
        Assert.True(fault is null, fault);
    }
}
