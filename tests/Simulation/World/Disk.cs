namespace ChordChat.Tests.Simulation.World;

/// <summary>What happens to the writes of a transaction that a crash interrupts.</summary>
public enum CrashKind
{
    /// <summary>None of it reached the disk.</summary>
    Lost,

    /// <summary>All of it did, though nobody was told.</summary>
    Survived,

    /// <summary>The last page is half written. The journal's checksum says so, and recovery takes it all
    /// back.</summary>
    Torn,
}

/// <summary>A node's disk: what is written can be read at once, but only what was synced is sure to outlive a
/// crash.</summary>
public sealed class Disk
{
    private readonly Stack<Action> _undo = [];

    /// <summary>Transactions that wrote something and are on the disk.</summary>
    public ulong CommitCount { get; private set; }

    /// <summary>Notes how to take back a write that was just made.</summary>
    public void Wrote(Action undo) => _undo.Push(undo);

    /// <summary>Makes everything written so far durable.</summary>
    public void Sync()
    {
        if (_undo.Count > 0)
            CommitCount++;
        _undo.Clear();
    }

    /// <summary>A disk with as many transactions as another one had.</summary>
    public static Disk With(ulong commitCount) => new() { CommitCount = commitCount };

    /// <summary>Ends the open transaction as an atomic commit that never returned does: all of it is there, or
    /// nothing.</summary>
    public void Crash(CrashKind kind = CrashKind.Lost)
    {
        if (kind == CrashKind.Survived)
            Sync();
        while (_undo.TryPop(out var undo))
            undo();
    }
}

/// <summary>A map on a <see cref="Disk"/>.</summary>
/// <param name="rows">The place of the rows: a dictionary, sorted or not.</param>
public sealed class DurableMap<TKey, TValue>(Disk disk, IDictionary<TKey, TValue> rows)
    where TKey : notnull
{
    public IDictionary<TKey, TValue> Rows => rows;

    public TValue? this[TKey key] => rows.TryGetValue(key, out var value) ? value : default;

    public bool TryGet(TKey key, out TValue value) => rows.TryGetValue(key, out value!);

    public void Put(TKey key, TValue value)
    {
        if (rows.TryGetValue(key, out var before))
            disk.Wrote(() => rows[key] = before);
        else
            disk.Wrote(() => rows.Remove(key));
        rows[key] = value;
    }

    public void Remove(TKey key)
    {
        if (!rows.TryGetValue(key, out var before))
            return;
        disk.Wrote(() => rows[key] = before);
        rows.Remove(key);
    }
}
