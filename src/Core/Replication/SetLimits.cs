namespace ChordChat.Core.Replication;

/// <summary>How much one set may hold of messages that nobody has acknowledged.</summary>
/// <param name="CountMax">Above it new messages are refused until some are acknowledged.</param>
/// <param name="BytesMax">The same for the sum of their contents.</param>
public sealed record SetLimits(int CountMax, long BytesMax)
{
    private const int ShareCountMin = 64;
    private const long ShareBytesMin = 1 << 20;

    /// <summary>What one sender may have in a crowded set: docs/protocol.md#share.</summary>
    public int ShareCountMax => Math.Max(ShareCountMin, CountMax / 16);

    /// <summary>The same in bytes.</summary>
    public long ShareBytesMax => Math.Max(ShareBytesMin, BytesMax / 16);

    /// <summary>Whether a set is more than half full, so that each sender has a share only.</summary>
    public bool IsCrowded(long count, long bytes) => count > CountMax / 2 || bytes > BytesMax / 2;

    public static readonly SetLimits Default = new(10_000, 64L << 20);

    /// <summary>Takes nothing new.</summary>
    public static readonly SetLimits Nothing = new(0, 0);

    /// <summary>For rows that were accepted elsewhere: a transfer or a repair must never drop one.</summary>
    public static readonly SetLimits None = new(int.MaxValue, long.MaxValue);
}
