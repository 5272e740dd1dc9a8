namespace ChordChat.Core.Replication;

/// <summary>How much one set may hold of messages that nobody has acknowledged.</summary>
/// <param name="CountMax">Above it new messages are refused until some are acknowledged.</param>
/// <param name="BytesMax">The same for the sum of their contents.</param>
public sealed record SetLimits(int CountMax, long BytesMax)
{
    public static readonly SetLimits Default = new(10_000, 64L << 20);

    /// <summary>Takes nothing new.</summary>
    public static readonly SetLimits Nothing = new(0, 0);

    /// <summary>For rows that were accepted elsewhere: a transfer or a repair must never drop one.</summary>
    public static readonly SetLimits None = new(int.MaxValue, long.MaxValue);
}
