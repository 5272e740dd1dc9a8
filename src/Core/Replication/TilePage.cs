using System.Collections.Immutable;

namespace ChordChat.Core.Replication;

/// <summary>A part of a tile's rows on the way to a learner.</summary>
/// <param name="Next">Where to go on, or null after the last page.</param>
/// <param name="RanMs">The source's running time, to tell the age of the entries by; 0: not known.</param>
public sealed record TilePage(
    ImmutableArray<TransferredRegister> Registers,
    ImmutableArray<TransferredEntry> Entries,
    TileCursor? Next,
    long RanMs = 0)
{
    public static readonly TilePage Empty = new([], [], null);

    /// <summary>About what it costs to send.</summary>
    internal int Bytes =>
        Registers.Sum(row => row.Value.Length + 128) + Entries.Sum(row => (row.Content?.Length ?? 0) + 64);
}

/// <summary>A position in a tile's rows that stays right while rows are added: the last row that was read.</summary>
/// <param name="Entries">Whether the registers are behind it.</param>
/// <param name="Name">Register key or set name; null before the first row of its kind.</param>
public readonly record struct TileCursor(bool Entries, string? Name, MessageId Id) : IComparable<TileCursor>
{
    /// <summary>Names are printable ASCII and no longer.</summary>
    private const int NameLengthMax = 256;

    /// <summary>The place right before a register: what is read from there begins with it, if it is there.</summary>
    public static TileCursor Before(string key)
    {
        var (rest, last) = (key[..^1], key[^1]);
        if (last == ' ')
            return new(Entries: false, rest.Length == 0 ? null : rest, default);
        var end = key.Length < NameLengthMax ? "~" : "";
        return new(Entries: false, $"{rest}{(char)(last - 1)}{end}", default);
    }

    public int CompareTo(TileCursor other)
    {
        if (Entries != other.Entries)
            return Entries.CompareTo(other.Entries);
        var byName = string.CompareOrdinal(Name ?? "", other.Name ?? "");
        return byName != 0 ? byName : Id.CompareTo(other.Id);
    }

    public static bool operator <(TileCursor left, TileCursor right) => left.CompareTo(right) < 0;
    public static bool operator >(TileCursor left, TileCursor right) => left.CompareTo(right) > 0;
    public static bool operator <=(TileCursor left, TileCursor right) => left.CompareTo(right) <= 0;
    public static bool operator >=(TileCursor left, TileCursor right) => left.CompareTo(right) >= 0;
}

/// <summary>An accepted value. Promises stay where they were made.</summary>
public readonly record struct TransferredRegister(string Key, Ballot AcceptedBallot, ReadOnlyMemory<byte> Value)
{
    public bool IsSameAs(TransferredRegister other) =>
        AcceptedBallot == other.AcceptedBallot && Value.Span.SequenceEqual(other.Value.Span);
}

/// <summary>A message, or its tombstone when <paramref name="Content"/> is null.</summary>
/// <param name="SinceMs">Running time of the replica that it comes from when it arrived or was buried there.</param>
public readonly record struct TransferredEntry(string Set, MessageId Id, ReadOnlyMemory<byte>? Content, long SinceMs);
