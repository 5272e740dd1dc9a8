using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Ring;

/// <summary>Asks the neighbours again and again.</summary>
internal sealed class StabilizeTimer(RingDriver ring, TimeProvider time) : ILoop
{
    public Task RunAsync(CancellationToken stopping) => Periodic.RunAsync(
        ring.Now.Ring.Options.StabilizeInterval, time,
        stop => ring.GiveAsync(new RingInput.StabilizeDue(), stop), stopping);
}

/// <summary>Probes members again and again.</summary>
internal sealed class ProbeTimer(RingDriver ring, TimeProvider time) : ILoop
{
    public Task RunAsync(CancellationToken stopping) => Periodic.RunAsync(
        ring.Now.Membership.Options.ProbeInterval, time,
        stop => ring.GiveAsync(new RingWork.ProbeDue(), stop), stopping);
}

/// <summary>Refreshes one finger after the other.</summary>
internal sealed class FingerTimer(RingDriver ring, Lookups lookups, TimeProvider time) : ILoop
{
    public Task RunAsync(CancellationToken stopping) =>
        Periodic.RunAsync(ring.Now.Ring.Options.FixFingersInterval, time, FixFingerAsync, stopping);

    private async ValueTask FixFingerAsync(CancellationToken stopping)
    {
        if (ring.Now.Ring.Phase is not RingPhase.Member || ring.Now.Ring.Successors.IsEmpty)
            return;
        Peer? owner = null;
        try
        {
            var found = await lookups.FindAsync(ring.Now.Fingers.NextStart, useCache: true, stopping);
            owner = (found.Want as LookupWant.Done)?.Owner;
        }
        finally
        {
            // Also when the lookup broke off, or the next beat would come to the same finger.
            await ring.GiveAsync(new RingWork.FingerFound(owner), stopping);
        }
    }
}

/// <summary>Notices when this process was paused.</summary>
internal sealed class PauseWatch(RingDriver ring, TimeProvider time) : ILoop
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var before = time.GetTimestamp();
            await Task.Delay(CheckInterval, time, stopping);
            if (time.GetElapsedTime(before) - CheckInterval < PauseMin)
                continue;
            await ring.GiveAsync(now => new MembershipInput.Paused(now), stopping);
            await ring.GiveAsync(new RingInput.Paused(), stopping);
        }
    }
}
