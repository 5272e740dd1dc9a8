using ChordChat.Core.Ring;

namespace ChordChat.Node.Ring;

/// <summary>Walks a lookup from node to node: this one holds every step in its own hands.</summary>
internal sealed class Lookups(RingDriver ring, RingCalls calls, TimeProvider time)
{
    private static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(1);

    /// <param name="useCache">False: fingers and successors alone, as on a ring too large to know everybody.</param>
    /// <param name="answered">Told of each hop's round trip.</param>
    /// <returns>The finished lookup: <see cref="Lookup.Want"/> is Done or Failed.</returns>
    public async Task<Lookup> FindAsync(
        RingId point, bool useCache, CancellationToken cancellation, Action<TimeSpan>? answered = null)
    {
        var now = ring.Now;
        var own = Routing.Answer(now.Ring, now.Fingers, useCache ? now.Members : null, point);
        var steps = Lookup.StepsMax(now.Members.Count, now.Ring.Options.SuccessorCount);
        var lookup = Lookup.Start(now.Self, point, own, steps);
        while (lookup.Want is LookupWant.Ask(var peer))
        {
            var asked = time.GetTimestamp();
            var reply = await calls.FindSuccessorAsync(peer, point, StepTimeout, cancellation);
            lookup = reply is null ? lookup.Unreachable() : lookup.Answered(reply);
            if (reply is not null)
                answered?.Invoke(time.GetElapsedTime(asked));
        }

        return lookup;
    }
}
