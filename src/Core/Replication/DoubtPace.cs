namespace ChordChat.Core.Replication;

/// <summary>How often one member ends a tile's epochs because another one says that they have ended: one that lies may
/// say so again and again, and each time costs a pause.</summary>
/// <remarks>docs/protocol.md#doubt.</remarks>
internal sealed class DoubtPace(StewardOptions options)
{
    private long _notBeforeMs;
    private double _waitMs;

    /// <summary>Whether it may now; then it does.</summary>
    public bool MayEnd(long nowMs)
    {
        if (nowMs < _notBeforeMs)
            return false;
        var (start, max) = (options.BackoffStart.TotalMilliseconds, options.BackoffMax.TotalMilliseconds);
        _waitMs = nowMs - _notBeforeMs >= max ? start : Math.Min(max, Math.Max(start, 2 * _waitMs));
        _notBeforeMs = nowMs + (long)_waitMs;
        return true;
    }
}
