namespace ChordChat.Node.Storage;

/// <summary>How far a pass over all rows has come; the default is its begin.</summary>
/// <param name="Tile">With <paramref name="Key"/>: the last register that was read.</param>
/// <param name="Arrival">The last entry that was read; null while registers are read.</param>
internal readonly record struct ScrubCursor(long Tile, string? Key, long? Arrival);
