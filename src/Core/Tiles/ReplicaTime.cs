namespace ChordChat.Core.Tiles;

/// <summary>The two times that a replica is told with each request.</summary>
/// <remarks>docs/protocol.md#tombstones.</remarks>
/// <param name="RanMs">Milliseconds in which this node ran, over all its starts; stands still while it is off. What
/// rows carry, and what ages are counted in.</param>
/// <param name="UnixMs">The calendar, which may be wrong by days; only whether a request comes too late hangs on
/// it.</param>
public readonly record struct ReplicaTime(long RanMs, long UnixMs);

/// <summary>How long rows are kept, and how late one may come.</summary>
/// <remarks>Safe as long as a tombstone outlives every add on its way: <see cref="LateMax"/> and all that calendars of
/// nodes differ by are less than <see cref="TombstoneAge"/>.</remarks>
public sealed record RowAges
{
    public static readonly RowAges Default = new();

    /// <summary>A tombstone is collected when every member's is so old.</summary>
    public TimeSpan TombstoneAge { get; init; } = TimeSpan.FromDays(14);

    /// <summary>A message that nobody acknowledged for so long expires.</summary>
    public TimeSpan MessageAge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How much longer each further member of a configuration waits before it looks for old rows.</summary>
    public TimeSpan PerRank { get; init; } = TimeSpan.FromDays(1);

    /// <summary>A message is taken until so long after it was first handed in.</summary>
    public TimeSpan LateMax { get; init; } = TimeSpan.FromDays(7);

    /// <summary>A page of a repair is taken until so long after it was asked for.</summary>
    public TimeSpan MendMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>By how much the calendars of a tile's members may differ.</summary>
    public static readonly TimeSpan CalendarsMax = TimeSpan.FromDays(3);

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        var (hour, day, most) = (TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(3_650));
        foreach (var (name, age) in new[]
        {
            (nameof(TombstoneAge), TombstoneAge), (nameof(MessageAge), MessageAge), (nameof(LateMax), LateMax),
        })
            if (age < hour || age > most)
                yield return $"{name} is {age}; it must be from 1 hour to 3650 days.";
        if (PerRank < TimeSpan.Zero || PerRank > TimeSpan.FromDays(30))
            yield return $"{nameof(PerRank)} is {PerRank}; it must be from 0 to 30 days.";
        if (MendMax < TimeSpan.FromMinutes(1) || MendMax > day)
            yield return $"{nameof(MendMax)} is {MendMax}; it must be from 1 minute to 1 day.";
        if (LateMax >= most || LateMax + MendMax + CalendarsMax >= TombstoneAge)
            yield return $"{nameof(LateMax)} is {LateMax}; with {nameof(MendMax)} and {CalendarsMax.Days} days for "
                + $"clocks that differ, it must be less than {nameof(TombstoneAge)} ({TombstoneAge}), or deleted "
                + "messages come back.";
    }
}

/// <summary>How a set's id stands at one replica.</summary>
public enum EntryAge
{
    /// <summary>There is neither a message nor a tombstone.</summary>
    Absent = 0,

    /// <summary>A message that has not expired.</summary>
    Message = 1,

    /// <summary>A message that has.</summary>
    ExpiredMessage = 2,

    /// <summary>A tombstone that must be kept.</summary>
    Tombstone = 3,

    /// <summary>A tombstone past its age.</summary>
    OldTombstone = 4,
}

/// <summary>A set entry by its name, with what its age is counted from.</summary>
/// <param name="SinceMs">Running time of its arrival, or of its burial.</param>
public readonly record struct EntryStamp(string Set, MessageId Id, bool IsBuried, long SinceMs);
