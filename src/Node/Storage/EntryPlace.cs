namespace ChordChat.Node.Storage;

/// <summary>Where a message or tombstone is in its table.</summary>
/// <param name="Length">Bytes of the message's content, or null for a tombstone.</param>
internal readonly record struct EntryPlace(long Arrival, long? Length)
{
    /// <summary>Named by the index and not in the table.</summary>
    public static EntryPlace Lost => default;

    public bool IsLost => Arrival == 0;
}
