using System.Collections.Concurrent;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>Remembers where recipients are connected, so that a message costs no look-up.</summary>
/// <remarks>A place is believed until a node says "not here", and asked about anew once a minute, beside what is sent
/// there: whoever named it may have lied, and the node there too. That nobody is online is believed for a moment only:
/// who connects in that moment finds the message in the mailbox.</remarks>
internal sealed class LeasePlaces(Whereabouts whereabouts, ChatClock clock)
{
    private const int KnownMax = 100_000;
    private const long OfflineForMs = 250;
    private const long FreshForMs = 60_000;

    private sealed record Entry(Task<Lease?> Lease, long AskedAt)
    {
        /// <summary>Whether it is asked about anew; 1 or 0.</summary>
        public int Asking;
    }

    private readonly ConcurrentDictionary<string, Entry> _known = new();

    public Task<Lease?> FindAsync(string user, CancellationToken cancellation)
    {
        var now = clock.Steady;
        if (_known.TryGetValue(user, out var entry) && IsGood(entry, now))
        {
            if (now - entry.AskedAt > FreshForMs && Interlocked.Exchange(ref entry.Asking, 1) == 0)
                _ = AskAnewAsync(user, entry);
            return entry.Lease;
        }

        if (_known.Count >= KnownMax)
            _known.Clear();
        var asked = new Entry(whereabouts.FindAsync(user, cancellation), now);
        _known[user] = asked;
        return asked.Lease;
    }

    /// <summary>The session is not there any more.</summary>
    public void Forget(string user, Lease wrong)
    {
        if (_known.TryGetValue(user, out var entry)
            && entry.Lease is { IsCompletedSuccessfully: true, Result: { } lease } && lease == wrong)
            _known.TryRemove(new(user, entry));
    }

    private async Task AskAnewAsync(string user, Entry old)
    {
        var now = clock.Steady;
        try
        {
            var lease = await whereabouts.FindAsync(user, CancellationToken.None);
            _known.TryUpdate(user, new Entry(Task.FromResult(lease), now), old);
        }
        finally
        {
            old.Asking = 0;
        }
    }

    private static bool IsGood(Entry entry, long now) => entry.Lease switch
    {
        { IsCompleted: false } => true,
        { IsCompletedSuccessfully: true, Result: not null } => true,
        _ => now - entry.AskedAt < OfflineForMs,
    };
}
