namespace ChordChat.Core.Tiles.Sets;

/// <summary>How much one set may hold of messages that nobody has acknowledged, and of the tombstones of the
/// others.</summary>
/// <param name="CountMax">Above it new messages are refused until some are acknowledged.</param>
/// <param name="BytesMax">The same for the sum of their contents.</param>
/// <param name="TombstoneCountMax">With so many tombstones new messages are refused until the oldest are collected:
/// docs/protocol.md#tombstone-limit.</param>
public sealed record SetLimits(int CountMax, long BytesMax, int TombstoneCountMax = 500_000)
{
    /// <summary>Bytes of the largest message: 64 KiB of padded content and what the seal adds.</summary>
    public const int ContentBytesMax = 72 * 1024;

    private const int ShareCountMin = 64;

    /// <summary>Running time after which what a sender has added to a worn set is counted from nothing.</summary>
    public const long WearMs = 24 * 3_600_000;

    private const long ShareBytesMin = 1 << 20;

    /// <summary>Whether something can be a message: docs/protocol.md#no-empty-mail.</summary>
    public static bool IsMessage(ReadOnlyMemory<byte> content) => content.Length is > 0 and <= ContentBytesMax;

    /// <summary>What one sender may have in a crowded set: docs/protocol.md#share.</summary>
    public int ShareCountMax => Math.Max(ShareCountMin, CountMax / 16);

    /// <summary>The same in bytes.</summary>
    public long ShareBytesMax => Math.Max(ShareBytesMin, BytesMax / 16);

    /// <summary>Whether a set is more than half full, so that each sender has a share only.</summary>
    public bool IsCrowded(long count, long bytes) => count > CountMax / 2 || bytes > BytesMax / 2;

    /// <summary>Whether a set is so far below that, that who fills it again has to add an eighth of it.</summary>
    public bool IsRoomy(long count, long bytes) => count <= CountMax / 8 * 3 && bytes <= BytesMax / 8 * 3;

    /// <summary>What one sender may add in a day to a worn set.</summary>
    public int WearShareMax => Math.Max(ShareCountMin, TombstoneCountMax / 128);

    /// <summary>Whether a set has more than half of the tombstones that it may have, so that each sender has a share
    /// only.</summary>
    public bool IsWorn(long tombstones) => tombstones > TombstoneCountMax / 2;

    public static readonly SetLimits Default = new(10_000, 64L << 20);

    /// <summary>Takes nothing new.</summary>
    public static readonly SetLimits Nothing = new(0, 0);

    /// <summary>For rows that were accepted elsewhere: a transfer or a repair must never drop one.</summary>
    public static readonly SetLimits None = new(int.MaxValue, long.MaxValue, int.MaxValue);
}
