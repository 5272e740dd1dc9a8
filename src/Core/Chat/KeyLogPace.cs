namespace ChordChat.Core.Chat;

/// <summary>How fast a user's key log may grow: <see cref="AtOnceMax"/> entries at once, then one more every
/// <see cref="Each"/>. Kept in the account, so it holds whichever nodes are asked, and after restarts.</summary>
/// <param name="Recent">Entries that count now, less what has run off since <paramref name="AtMs"/>.</param>
/// <param name="AtMs">Unix time of the last entry by the clock of the node that took it.</param>
public readonly record struct KeyLogPace(uint Recent, long AtMs)
{
    public const uint AtOnceMax = 60;

    /// <summary>Of one log: readers take 16 MiB, and an entry has 2 KiB.</summary>
    public const ulong EntriesMax = 4_096;

    public static readonly TimeSpan Each = TimeSpan.FromMinutes(10);

    /// <summary>How long the next entry has to wait; zero when it may come.</summary>
    public TimeSpan Wait(long nowMs)
    {
        var counted = CountedAt(nowMs);
        return counted.Recent < AtOnceMax
            ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(Math.Max(1, counted.AtMs + (long)Each.TotalMilliseconds - nowMs));
    }

    /// <summary>After one entry more.</summary>
    public KeyLogPace Counting(long nowMs)
    {
        var counted = CountedAt(nowMs);
        return counted with { Recent = counted.Recent + 1 };
    }

    /// <remarks>A time that is far ahead is of a node whose clock is wrong, and counts for nothing: nobody waits for
    /// it to come.</remarks>
    private KeyLogPace CountedAt(long nowMs)
    {
        var step = (long)Each.TotalMilliseconds;
        if (AtMs - nowMs > step)
            return new(0, nowMs);
        var at = Math.Min(AtMs, nowMs);
        var runOff = (nowMs - at) / step;
        return runOff >= Recent ? new(0, nowMs) : new(Recent - (uint)runOff, at + runOff * step);
    }
}
