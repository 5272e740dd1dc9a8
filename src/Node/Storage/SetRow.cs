using ChordChat.Core.Replication;

namespace ChordChat.Node.Storage;

/// <summary>What the table of entries remembers of one set.</summary>
internal sealed class SetRow(long number)
{
    /// <summary>Live messages; read from other threads too.</summary>
    public long Count;

    public long Number => number;

    /// <summary>Of live messages; negative until measured.</summary>
    public long Bytes { get; set; } = -1;

    /// <summary>No entry has a larger id; null when there is none. Known when <see cref="Bytes"/> are.</summary>
    public MessageId? Greatest { get; set; }

    /// <summary>Null while the set is not crowded.</summary>
    public SetShares? Shares { get; set; }
}
