using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Node.Storage;

/// <summary>What the table of entries remembers of one set.</summary>
internal sealed class SetRow(long number)
{
    /// <summary>Live messages; read from other threads too.</summary>
    public long Count;

    private SetShares? _shares; // Counted when the set becomes crowded, until it is roomy again.
    private SetShares? _wear; // Null while the set is not worn.
    private long _wearSince;

    public long Number => number;

    /// <summary>Of live messages; negative until measured.</summary>
    public long Bytes { get; private set; } = -1;

    /// <summary>Known when <see cref="Bytes"/> are.</summary>
    public long TombstoneCount { get; private set; }

    /// <summary>No entry has a larger id; null when there is none. Known when <see cref="Bytes"/> are.</summary>
    public MessageId? Greatest { get; set; }

    public void Measured(long bytes, long entries) => (Bytes, TombstoneCount) = (bytes, entries - Count);

    /// <summary>docs/protocol.md#set, #share and #tombstone-limit.</summary>
    /// <param name="scan">Reads the live messages after an arrival.</param>
    public bool HasRoom(
        ReadOnlySpan<byte> content, long nowMs, SetLimits limits, Func<long, ReplicaReply.Scanned> scan)
    {
        if (ReferenceEquals(limits, SetLimits.None))
            return true; // And what was counted stays: such rows were accepted elsewhere.
        if (Count >= limits.CountMax || Bytes + content.Length > limits.BytesMax
            || TombstoneCount >= limits.TombstoneCountMax)
            return false;
        var isCrowded = limits.IsCrowded(Count, Bytes);
        if (isCrowded)
            _shares ??= SetShares.Of(scan); // Read once; from then on it counts along.
        else if (limits.IsRoomy(Count, Bytes))
            _shares = null;
        if (!limits.IsWorn(TombstoneCount))
            _wear = null;
        else if (_wear is null || nowMs - _wearSince >= SetLimits.WearMs)
            (_wear, _wearSince) = (new(), nowMs);
        return (!isCrowded || _shares!.HasRoom(content, limits.ShareCountMax, limits.ShareBytesMax))
            && _wear?.HasRoom(content, limits.WearShareMax, long.MaxValue) != false;
    }

    public void Added(ReadOnlySpan<byte> content)
    {
        Interlocked.Increment(ref Count);
        Bytes += content.Length;
        _shares?.Added(content);
        _wear?.Added(content);
    }

    /// <summary>Whether <see cref="Buried"/> has to know what was in the message.</summary>
    public bool HasShares => _shares is not null;

    /// <param name="length">Of the message that was buried; null when there was none.</param>
    public void Buried(long? length, ReadOnlySpan<byte> content = default)
    {
        TombstoneCount++;
        if (length is not { } bytes)
            return;
        Interlocked.Decrement(ref Count);
        Bytes -= bytes;
        _shares?.Buried(content);
    }

    public void Forgot() => TombstoneCount--;
}
