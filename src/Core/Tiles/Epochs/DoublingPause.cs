namespace ChordChat.Core.Tiles.Epochs;

/// <summary>A pause after something in vain: twice as long each further time, and as short as at first when it has not
/// happened for long.</summary>
internal sealed class DoublingPause(StewardOptions options)
{
    private long _untilMs;
    private double _waitMs;

    public bool IsOver(long nowMs) => nowMs >= _untilMs;

    /// <summary>One that is not over yet begins again.</summary>
    public void Begin(long nowMs)
    {
        var (start, max) = (options.BackoffStart.TotalMilliseconds, options.BackoffMax.TotalMilliseconds);
        _waitMs = nowMs - _untilMs >= max ? start
            : IsOver(nowMs) ? Math.Min(max, Math.Max(start, 2 * _waitMs))
            : _waitMs;
        _untilMs = nowMs + (long)_waitMs;
    }
}
