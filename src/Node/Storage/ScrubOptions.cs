namespace ChordChat.Node.Storage;

/// <summary>How often all rows are read again, and how gently.</summary>
internal sealed record ScrubOptions
{
    /// <summary>From the begin of one pass to that of the next, restarts in between or not. A flipped bit that nobody
    /// reads goes unnoticed for so long.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Rows read at once; everything else waits for as long as that takes.</summary>
    public int RowsAtOnce { get; init; } = 128;

    /// <summary>Wait after each such step: 128 rows every 250 ms are 44 million a day.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(250);
}
