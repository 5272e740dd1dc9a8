using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Ring;
using ChordChat.Tests.Unit.Base;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#loops and #ring-fingers.</summary>
public sealed class RingTimersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Here there is nobody to call, which a lookup does not expect.</summary>
    [Fact]
    public async Task A_finger_whose_lookup_breaks_off_is_skipped()
    {
        var ring = new RingDriver(
            new RingStart(Peers.At(1), 1, [], new RingOptions(), new MembershipOptions()),
            null!, new EventLog(TimeProvider.System), new StoppedTime(), NullLogger<RingDriver>.Instance);
        using var running = new RunningLoop(ring);
        // A member of a large ring whose list does not come round.
        await KnowAsync(4);
        await KnowAsync(20);
        await KnowAsync(20, Peers.At(4).Node);
        using var timer = new LoopHost<FingerTimer>(
            new FingerTimer(ring, new Lookups(ring, null!, TimeProvider.System), new HastyTime()),
            new LoopFaults<FingerTimer>(new HastyTime(), NullLogger<FingerTimer>.Instance), new HastyTime());
        await timer.StartAsync(CancellationToken.None);
        using var patience = new CancellationTokenSource(Patience);
        while (ring.Now.Fingers.Next < 100)
            await ring.ReadAsync(patience.Token);
        await timer.StopAsync(CancellationToken.None);

        async Task KnowAsync(int count, params NodeId[] gone) => await ring.GiveAsync(
            new RingInput.MembersKnown(Peers.All(2, 3, 4), count, [.. gone]), CancellationToken.None);
    }
}
