using System.Collections.Concurrent;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>Remembers where recipients are connected, so that a message costs no look-up.</summary>
/// <remarks>A place is believed until a node says "not here". That nobody is online is believed for a moment only: who
/// connects in that moment finds the message in the mailbox.</remarks>
internal sealed class LeasePlaces(Whereabouts whereabouts, ChatClock clock)
{
    private const int KnownMax = 100_000;
    private const long OfflineForMs = 250;

    private sealed record Entry(Task<Lease?> Lease, long AskedAt);

    private readonly ConcurrentDictionary<string, Entry> _known = new();

    public Task<Lease?> FindAsync(string user, CancellationToken cancellation)
    {
        var now = clock.Steady;
        if (_known.TryGetValue(user, out var entry) && IsGood(entry, now))
            return entry.Lease;
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

    private static bool IsGood(Entry entry, long now) => entry.Lease switch
    {
        { IsCompleted: false } => true,
        { IsCompletedSuccessfully: true, Result: not null } => true,
        _ => now - entry.AskedAt < OfflineForMs,
    };
}
