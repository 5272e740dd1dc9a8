namespace ChordChat.Core.Chat;

/// <summary>Slows down who guesses a user's password: some tries are free, then each waits twice as long.</summary>
/// <remarks>
/// Kept at the owner of the account's tile, or N nodes would give N times the guesses. Never locks for good, because
/// that would let anybody lock anybody out. Times are milliseconds of any clock that only goes forward. Not safe for
/// threads.
/// </remarks>
public sealed class GuessThrottle
{
    public const int FreeCount = 5;
    public const int UserCountMax = 100_000;
    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(15);

    private readonly record struct Tries(int Count, long LastAt);

    private readonly Dictionary<string, Tries> _tries = [];

    /// <summary>Counts a try, or tells how long to wait before the next one may be made.</summary>
    public TimeSpan Try(string user, long now)
    {
        var tries = _tries.GetValueOrDefault(user);
        if (tries.Count > 0 && now - tries.LastAt > 2 * PauseMax.TotalMilliseconds)
            tries = default;
        var wait = tries.LastAt + (long)PauseAfter(tries.Count).TotalMilliseconds - now;
        if (tries.Count >= FreeCount && wait > 0)
            return TimeSpan.FromMilliseconds(wait);
        if (_tries.Count >= UserCountMax && !_tries.ContainsKey(user))
            Shrink(now);
        _tries[user] = new Tries(Math.Min(tries.Count + 1, 64), now);
        return TimeSpan.Zero;
    }

    /// <summary>The right secret was given: what was tried before is forgiven.</summary>
    public void Succeeded(string user) => _tries.Remove(user);

    /// <summary>How long the next try waits after so many that failed: nothing, then 2, 4, 8 s ... 15 min.</summary>
    public static TimeSpan PauseAfter(int count) => count < FreeCount
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(PauseMax.TotalSeconds, Math.Pow(2, count - FreeCount + 1)));

    private void Shrink(long now)
    {
        foreach (var (user, tries) in _tries)
            if (now - tries.LastAt > PauseAfter(tries.Count).TotalMilliseconds)
                _tries.Remove(user);
        while (_tries.Count >= UserCountMax)
            _tries.Remove(_tries.First().Key);
    }
}
