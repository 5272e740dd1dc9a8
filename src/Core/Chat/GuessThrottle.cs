namespace ChordChat.Core.Chat;

/// <summary>Slows down who guesses a user's password: from each place some tries are free, then each waits twice as
/// long.</summary>
/// <remarks>
/// Kept at the owner of the account's tile, or N nodes would give N times the guesses. Places are address blocks. All
/// places from which the user has never logged in share one more count, so that many of them give no more guesses than
/// a few; a place from which he has keeps a count of its own, and no stranger keeps him out there. Never locks for
/// good. Times are milliseconds of any clock that only goes forward. Not safe for threads.
/// </remarks>
public sealed class GuessThrottle
{
    /// <summary>From one place.</summary>
    public const int FreeCount = 5;

    /// <summary>From all places together from which the user has never logged in.</summary>
    public const int FreeCountOfStrangers = 20;

    public const int UserCountMax = 100_000;

    /// <summary>Places that are remembered for a user; the one used longest ago is forgotten.</summary>
    public const int KnownPlacesMax = 8;

    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(15);

    private const string Strangers = "";

    private readonly record struct Tries(int Count, long LastAt);

    private readonly Dictionary<(string User, string Place), Tries> _tries = [];
    private readonly Dictionary<string, List<string>> _known = [];

    /// <summary>Counts a try, or tells how long to wait before the next one may be made.</summary>
    /// <param name="place">Where it comes from; not empty.</param>
    public TimeSpan Try(string user, string place, long now)
    {
        var isKnown = _known.GetValueOrDefault(user)?.Contains(place) == true;
        var wait = Wait((user, place), FreeCount, now);
        if (!isKnown && Wait((user, Strangers), FreeCountOfStrangers, now) is var others && others > wait)
            wait = others;
        if (wait > TimeSpan.Zero)
            return wait;
        Count((user, place), now);
        if (!isKnown)
            Count((user, Strangers), now);
        return TimeSpan.Zero;
    }

    /// <summary>The right secret was given: what was tried from there before is forgiven, and the place is the
    /// user's.</summary>
    public void Succeeded(string user, string place)
    {
        _tries.Remove((user, place));
        if (!_known.TryGetValue(user, out var places))
        {
            if (_known.Count >= UserCountMax)
                _known.Remove(_known.First().Key);
            _known[user] = places = [];
        }

        places.Remove(place);
        places.Add(place);
        if (places.Count > KnownPlacesMax)
            places.RemoveAt(0);
    }

    /// <summary>How long the next try waits after so many that failed: nothing, then 2, 4, 8 s ... 15 min.</summary>
    public static TimeSpan PauseAfter(int count, int free = FreeCount) => count < free
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(PauseMax.TotalSeconds, Math.Pow(2, Math.Min(count - free, 20) + 1)));

    private TimeSpan Wait((string User, string Place) key, int free, long now)
    {
        var tries = _tries.GetValueOrDefault(key);
        if (tries.Count < free || IsOver(tries, now))
            return TimeSpan.Zero;
        var wait = tries.LastAt + (long)PauseAfter(tries.Count, free).TotalMilliseconds - now;
        return wait > 0 ? TimeSpan.FromMilliseconds(wait) : TimeSpan.Zero;
    }

    private void Count((string User, string Place) key, long now)
    {
        var tries = _tries.GetValueOrDefault(key);
        if (IsOver(tries, now))
            tries = default;
        if (_tries.Count >= UserCountMax && !_tries.ContainsKey(key))
            Shrink(now);
        _tries[key] = new Tries(Math.Min(tries.Count + 1, 64), now);
    }

    private static bool IsOver(Tries tries, long now) =>
        tries.Count > 0 && now - tries.LastAt > 2 * PauseMax.TotalMilliseconds;

    private void Shrink(long now)
    {
        foreach (var (key, tries) in _tries)
            if (now - tries.LastAt > PauseAfter(tries.Count).TotalMilliseconds)
                _tries.Remove(key);
        while (_tries.Count >= UserCountMax)
            _tries.Remove(_tries.First().Key);
    }
}
