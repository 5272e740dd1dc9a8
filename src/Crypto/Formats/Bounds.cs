namespace ChordChat.Crypto.Formats;

/// <summary>How large the numbers in signed bytes may be: signed and well-formed is still hostile.</summary>
/// <remarks>
/// docs/e2e.md, Conventions. Far above what anybody reaches, and far below where a date, a sum or a column ends.
/// </remarks>
internal static class Bounds
{
    /// <summary>Unix time in ms, until the year 2527: what the order of a chat has room for.</summary>
    public const ulong TimeMsMax = (1UL << 44) - 1;

    /// <summary>Places in a chain of messages or of keys.</summary>
    public const ulong SeqMax = int.MaxValue;
}
