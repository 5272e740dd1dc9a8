using System.Collections.Immutable;

namespace ChordChat.Core.Tiles;

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
    internal int Bytes => Registers.Sum(BytesOf) + Entries.Sum(BytesOf);

    /// <summary>Whether an honest source may answer this. docs/protocol.md#endless-transfer</summary>
    internal bool Answers(ReplicaRequest.Pull asked)
    {
        var isWhole = asked.Theirs.IsDefaultOrEmpty;
        if (Next == asked.After)
            return !isWhole && Registers.IsEmpty && Entries.IsEmpty; // It has still to work out what differs.
        var full = Math.Clamp(asked.BytesMax, 1, Replica.PageBytesMax);
        return IsBetween(asked.After, upTo: null, full) && (!isWhole || Next is null || Bytes >= full);
    }

    /// <summary>The same of a repair's question.</summary>
    internal bool Answers(ReplicaRequest.Missing asked) =>
        Next != asked.After && IsBetween(asked.After, asked.UpTo, Replica.PageBytesMax / 2);

    /// <summary>Whether its rows stand in order behind a place and up to where it ends, and so do they. The row that
    /// fills it is its last one: twice as much is no page.</summary>
    private bool IsBetween(TileCursor after, TileCursor? upTo, int full)
    {
        var (last, bytes, lastBytes) = (after, 0L, 0);
        foreach (var register in Registers)
            if (!Add(new(Entries: false, register.Key, default), BytesOf(register)))
                return false;
        foreach (var entry in Entries)
            if (!Add(new(Entries: true, entry.Set, entry.Id), BytesOf(entry)))
                return false;
        return (Next is not { } next || next > after)
            && (Next is not { } end || last <= end)
            && (upTo is not { } most || (last <= most && !(Next > most)))
            && bytes - lastBytes < 2L * full;

        bool Add(TileCursor at, int size)
        {
            var isBehind = at > last;
            (last, bytes, lastBytes) = (at, bytes + size, size);
            return isBehind;
        }
    }

    private static int BytesOf(TransferredRegister row) => row.Value.Length + 128;

    private static int BytesOf(TransferredEntry row) => (row.Content?.Length ?? 0) + 64;
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
