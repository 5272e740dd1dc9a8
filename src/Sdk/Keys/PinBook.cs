using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Sdk.Keys;

/// <summary>A pin and the log it stands for.</summary>
/// <param name="CheckedAt">When nodes were last asked for the log; long ago if this program never did.</param>
internal sealed record Pinned(KeyLog Log, Pin Pin, long CheckedAt)
{
    /// <summary>The first bytes of the record that it was read from; null if it was never stored.</summary>
    public byte[]? Tag { get; init; }
}

/// <summary>The pins of a profile, as they are stored now. Several threads and programs change them, so a change is
/// stored only if what it started from is still stored.</summary>
/// <remarks>docs/e2e.md, Pins. Safe for threads; the lock is a leaf.</remarks>
internal sealed class PinBook(UnlockedProfile me)
{
    private readonly Lock _turn = new();

    /// <summary>Saves reading and verifying a log again; valid only as long as its record is the stored one.</summary>
    private readonly Dictionary<string, Pinned> _read = [];

    /// <exception cref="ChordChatException"><c>profile_damaged</c>.</exception>
    public Pinned? Find(string user)
    {
        var tag = me.Store.Read(db => PinTable.TagOf(db, user));
        lock (_turn)
            if (_read.TryGetValue(user, out var known) && PinTable.IsSame(known.Tag, tag))
                return known;
        var record = tag is null ? null : me.Store.Read(db => PinTable.Get(db, user));
        if (record is null)
        {
            lock (_turn)
                _read.Remove(user);
            return null;
        }

        var (log, pin) = PinRecord.Parse(me.Cluster, user, me.Key.OpenRecord(Name(user), record));
        return Keep(new Pinned(log, pin, CheckedAt: long.MinValue / 2) { Tag = PinTable.TagOf(record) });
    }

    /// <summary>Changes what is stored, and begins again if somebody else was faster.</summary>
    /// <param name="next">Makes the new pin from the stored one; may be called several times. If it returns null,
    /// nothing is stored.</param>
    /// <returns>What is stored then.</returns>
    /// <exception cref="ChordChatException"><c>profile_damaged</c>, <c>profile_not_writable</c>.</exception>
    public Pinned? Change(string user, Func<Pinned?, Pinned?> next)
    {
        while (true)
        {
            var known = Find(user);
            if (next(known) is not { } changed)
                return null;
            if (changed.Pin == known?.Pin)
                return Keep(changed with { Log = known.Log, Tag = known.Tag });
            var record = me.Key.Seal(Name(user), PinRecord.Write(changed.Log, changed.Pin));
            var isFirst = changed.Pin is { State: PinState.New or PinState.DeviceChanged, Verified: false };
            if (me.Store.Write(db => PinTable.TryPut(db, user, known?.Tag, record, isFirst)) is not { } forgotten)
                continue;
            lock (_turn)
                foreach (var stranger in forgotten)
                    _read.Remove(stranger);
            return Keep(changed with { Tag = PinTable.TagOf(record) });
        }
    }

    private Pinned Keep(Pinned known)
    {
        lock (_turn)
            return _read[known.Log.User] = known;
    }

    private static string Name(string user) => "pin/" + user;
}
