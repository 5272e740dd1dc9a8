using ChordChat.Core.Ring;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Ring;

/// <summary>The ring's clocks: stabilize, probe, refresh fingers, and notice when this process was paused.</summary>
internal sealed class RingTimers(RingDriver ring, Lookups lookups, TimeProvider time) : ILoop
{
    private static readonly TimeSpan PauseCheckInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);

    public Task RunAsync(CancellationToken stopping)
    {
        var options = ring.Now.Ring.Options;
        return Periodic.RunAllAsync(
            stopping,
            end => Periodic.RunAsync(options.StabilizeInterval, time, StabilizeAsync, end),
            end => Periodic.RunAsync(ring.Now.Membership.Options.ProbeInterval, time, ProbeAsync, end),
            end => Periodic.RunAsync(options.FixFingersInterval, time, FixFingerAsync, end),
            WatchForPausesAsync);
    }

    private ValueTask StabilizeAsync(CancellationToken stopping) =>
        ring.GiveAsync(new RingInput.StabilizeDue(), stopping);

    private ValueTask ProbeAsync(CancellationToken stopping) => ring.GiveAsync(new RingWork.ProbeDue(), stopping);

    private async ValueTask FixFingerAsync(CancellationToken stopping)
    {
        if (ring.Now.Ring.Phase is not RingPhase.Member || ring.Now.Ring.Successors.IsEmpty)
            return;
        var found = await lookups.FindAsync(ring.Now.Fingers.NextStart, useCache: true, stopping);
        await ring.GiveAsync(new RingWork.FingerFound((found.Want as LookupWant.Done)?.Owner), stopping);
    }

    private async Task WatchForPausesAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var before = time.GetTimestamp();
            await Task.Delay(PauseCheckInterval, time, stopping);
            if (time.GetElapsedTime(before) - PauseCheckInterval < PauseMin)
                continue;
            await ring.GiveAsync(now => new MembershipInput.Paused(now), stopping);
            await ring.GiveAsync(new RingInput.Paused(), stopping);
        }
    }
}
