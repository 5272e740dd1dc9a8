using ChordChat.Core.Ring;

namespace ChordChat.Core.Chat;

/// <summary>Where a user's live session is.</summary>
/// <param name="Session">Its number in the session register; the larger one is the current one.</param>
/// <param name="SinceMs">When the session began, Unix time; of two nodes with one number the later one counts.</param>
public sealed record Lease(string User, ulong Session, NodeId Node, long SinceMs);

/// <summary>Who is online, as the members of the users' mailbox tiles know it. Soft state: a lease that is not renewed
/// runs out, and a member that was restarted knows everything again after one heartbeat.</summary>
/// <remarks>Times are milliseconds of any clock that only goes forward. Not safe for threads.</remarks>
public sealed class PresenceTable(
    int userCountMax = PresenceTable.UserCountMax, int ofNodeMax = PresenceTable.OfNodeMax)
{
    /// <summary>More users than this on one member are not remembered, and count as offline.</summary>
    public const int UserCountMax = 1_000_000;

    /// <summary>Of one node. It may make them up.</summary>
    public const int OfNodeMax = 65_536;

    /// <summary>Looking for room costs a walk over all.</summary>
    private const long SweepPauseMs = 1_000;

    /// <summary>How many users are remembered, those who have just gone included.</summary>
    public int Count => _entries.Count;

    private readonly record struct Entry(Lease Lease, long ExpiresAt, bool IsOver);

    private readonly Dictionary<string, Entry> _entries = [];
    private readonly Dictionary<NodeId, int> _ofNode = [];
    private long _sweptAt = -SweepPauseMs;

    /// <summary>Takes or renews a lease, and says which session is now the current one: another than
    /// <paramref name="lease"/> when that one is superseded.</summary>
    public Lease Renew(Lease lease, long now)
    {
        if (_entries.TryGetValue(lease.User, out var entry) && entry.ExpiresAt > now && Supersedes(entry.Lease, lease))
            return entry.Lease;
        Keep(new Entry(lease, now + (long)ChatLimits.LeaseTime.TotalMilliseconds, IsOver: false), now);
        return lease;
    }

    /// <summary>Ends this lease at once; remembered for a lease time, so that an older one stays away.</summary>
    public void End(Lease lease, long now)
    {
        if (_entries.TryGetValue(lease.User, out var entry) && Supersedes(entry.Lease, lease))
            return;
        Keep(new Entry(lease, now + (long)ChatLimits.LeaseTime.TotalMilliseconds, IsOver: true), now);
    }

    public Lease? Find(string user, long now) =>
        _entries.TryGetValue(user, out var entry) && !entry.IsOver && entry.ExpiresAt > now ? entry.Lease : null;

    /// <summary>Forgets what has run out.</summary>
    public void Sweep(long now)
    {
        _sweptAt = now;
        foreach (var (user, entry) in _entries)
            if (entry.ExpiresAt <= now)
                Drop(user, entry);
    }

    private void Keep(Entry entry, long now)
    {
        var (user, node) = (entry.Lease.User, entry.Lease.Node);
        if (!HasRoom(user, node) && now >= _sweptAt + SweepPauseMs)
            Sweep(now);
        if (!HasRoom(user, node))
            return;
        if (_entries.TryGetValue(user, out var before))
            Drop(user, before);
        _entries[user] = entry;
        _ofNode[node] = _ofNode.GetValueOrDefault(node) + 1;
    }

    private bool HasRoom(string user, NodeId node) => _entries.TryGetValue(user, out var before)
        ? before.Lease.Node == node || _ofNode.GetValueOrDefault(node) < ofNodeMax
        : _entries.Count < userCountMax && _ofNode.GetValueOrDefault(node) < ofNodeMax;

    private void Drop(string user, Entry entry)
    {
        _entries.Remove(user);
        if (--_ofNode[entry.Lease.Node] == 0)
            _ofNode.Remove(entry.Lease.Node);
    }

    private static bool Supersedes(Lease known, Lease other) =>
        known.Session > other.Session || (known.Session == other.Session && known.SinceMs > other.SinceMs);
}
