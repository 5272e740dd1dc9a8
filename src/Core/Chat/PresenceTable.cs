using ChordChat.Core.Ring;

namespace ChordChat.Core.Chat;

/// <summary>Where a user's live session is.</summary>
/// <param name="Session">Its number in the session register; the larger one is the current one.</param>
/// <param name="SinceMs">When the session began, Unix time; of two nodes with one number the later one counts.</param>
public sealed record Lease(string User, ulong Session, NodeId Node, long SinceMs);

/// <summary>Who is online, as the members of the users' mailbox tiles know it. Soft state: a lease that is not renewed
/// runs out, and a member that was restarted knows everything again after one heartbeat.</summary>
/// <remarks>Times are milliseconds of any clock that only goes forward. Not safe for threads.</remarks>
public sealed class PresenceTable(int userCountMax = PresenceTable.UserCountMax)
{
    /// <summary>More users than this on one member are not remembered: they are found by asking the nodes.</summary>
    public const int UserCountMax = 1_000_000;

    /// <summary>How many users are remembered, those who have just gone included.</summary>
    public int Count => _entries.Count;

    private readonly record struct Entry(Lease Lease, long ExpiresAt, bool IsOver);

    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>Takes or renews a lease, and says which session is now the current one: another than
    /// <paramref name="lease"/> when that one is superseded.</summary>
    public Lease Renew(Lease lease, long now)
    {
        if (_entries.TryGetValue(lease.User, out var entry) && entry.ExpiresAt > now && Supersedes(entry.Lease, lease))
            return entry.Lease;
        Keep(new Entry(lease, now + (long)ChatLimits.LeaseTime.TotalMilliseconds, IsOver: false));
        return lease;
    }

    /// <summary>Ends this lease at once; remembered for a lease time, so that an older one stays away.</summary>
    public void End(Lease lease, long now)
    {
        if (_entries.TryGetValue(lease.User, out var entry) && Supersedes(entry.Lease, lease))
            return;
        Keep(new Entry(lease, now + (long)ChatLimits.LeaseTime.TotalMilliseconds, IsOver: true));
    }

    public Lease? Find(string user, long now) =>
        _entries.TryGetValue(user, out var entry) && !entry.IsOver && entry.ExpiresAt > now ? entry.Lease : null;

    /// <summary>Forgets what has run out.</summary>
    public void Sweep(long now)
    {
        foreach (var (user, entry) in _entries)
            if (entry.ExpiresAt <= now)
                _entries.Remove(user);
    }

    private void Keep(Entry entry)
    {
        if (_entries.Count < userCountMax || _entries.ContainsKey(entry.Lease.User))
            _entries[entry.Lease.User] = entry;
    }

    private static bool Supersedes(Lease known, Lease other) =>
        known.Session > other.Session || (known.Session == other.Session && known.SinceMs > other.SinceMs);
}
