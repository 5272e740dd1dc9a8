namespace ChordChat.Node.Base;

/// <summary>How many lines of one kind go into the log in a minute: strangers can cause as many events as they like,
/// and a flood of them is worth one line. Safe for threads.</summary>
internal sealed class LineBudget(int perMinute)
{
    private const long MinuteMs = 60_000;
    private readonly Lock _turn = new();
    private long _startedAt = long.MinValue / 2;
    private int _count;
    private long _skipped;

    /// <summary>Whether this event gets a line.</summary>
    /// <param name="now">Milliseconds of any clock that only goes forward.</param>
    /// <param name="skipped">Events that got none since the last line.</param>
    public bool Allows(long now, out long skipped)
    {
        lock (_turn)
        {
            if (now - _startedAt >= MinuteMs)
                (_startedAt, _count) = (now, 0);
            if (_count >= perMinute)
            {
                skipped = 0;
                _skipped++;
                return false;
            }

            _count++;
            (skipped, _skipped) = (_skipped, 0);
            return true;
        }
    }
}
