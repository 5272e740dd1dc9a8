namespace ChordChat.Core.Chat;

/// <summary>Slows down who guesses a user's password: from each place some tries are free, then each waits twice as
/// long.</summary>
/// <remarks>
/// Kept at the owner of the account's tile, or N nodes would give N times the guesses. Places are address blocks. All
/// places from which the user has never logged in share one more count, so that many of them give no more guesses than
/// a few; a place from which he has keeps a count of its own, and no stranger keeps him out there. Past that count, a
/// site that is turned away is promised a time of its own, but only one at once, so that no stranger takes all turns:
/// docs/security.md, "Passwords and bcrypt". Times are milliseconds of any clock that only goes forward. Not safe for
/// threads.
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

    /// <summary>From one try to the next, of all places together from which the user has never logged in.</summary>
    public static readonly TimeSpan StrangersPauseMax = TimeSpan.FromMinutes(1);

    /// <summary>How many sites may have a promised time for one user. Further ones are told to ask again.</summary>
    public const int PromisedMax = 64;

    /// <summary>How long after its promised time a site may come.</summary>
    public static readonly TimeSpan PromisedFor = TimeSpan.FromMinutes(15);

    /// <summary>The longest wait that is ever answered.</summary>
    public static readonly TimeSpan WaitMax = StrangersPauseMax * (PromisedMax + 1);

    private const string Strangers = "";

    /// <param name="PromisedAt">The last time that was promised.</param>
    private readonly record struct Tries(int Count, long LastAt, long PromisedAt = 0);

    private readonly Dictionary<(string User, string Place), Tries> _tries = [];
    private readonly Dictionary<(string User, string Site), long> _promised = [];
    private long _sweptAt;
    private readonly Dictionary<string, List<string>> _known = [];

    /// <summary>Counts a try, or tells how long to wait before the next one may be made.</summary>
    /// <param name="place">Where it comes from; not empty.</param>
    /// <param name="site">The site that the place belongs to; many places may share it.</param>
    public TimeSpan Try(string user, string place, string site, long now)
    {
        var isKnown = _known.GetValueOrDefault(user)?.Contains(place) == true;
        var wait = Wait((user, place), now);
        if (wait <= TimeSpan.Zero && !isKnown)
            wait = WaitOfStrangers(user, site, now);
        if (wait > TimeSpan.Zero)
            return wait;
        Count((user, place), now);
        if (!isKnown)
            Count((user, Strangers), now);
        return TimeSpan.Zero;
    }

    /// <summary>The try was right, as far as anybody can tell while too few copies of the account answer: it was no
    /// guess.</summary>
    public void Forgive(string user, string place)
    {
        Uncount((user, place));
        if (_known.GetValueOrDefault(user)?.Contains(place) != true)
            Uncount((user, Strangers));
    }

    /// <summary>The right secret was given: what was tried from there before is forgiven, and the place is the
    /// user's.</summary>
    public void Succeeded(string user, string place)
    {
        Forgive(user, place);
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

    private TimeSpan Wait((string User, string Place) key, long now)
    {
        var tries = _tries.GetValueOrDefault(key);
        if (tries.Count < FreeCount || IsOver(tries, now))
            return TimeSpan.Zero;
        var wait = tries.LastAt + (long)PauseAfter(tries.Count).TotalMilliseconds - now;
        return wait > 0 ? TimeSpan.FromMilliseconds(wait) : TimeSpan.Zero;
    }

    /// <summary>Turns come one pause after the other. A turn that nobody was promised goes to whoever asks; a site that
    /// comes too early is promised the next one.</summary>
    private TimeSpan WaitOfStrangers(string user, string site, long now)
    {
        var tries = _tries.GetValueOrDefault((user, Strangers));
        if (tries.Count < FreeCountOfStrangers || IsOver(tries, now))
            return TimeSpan.Zero;
        if (_promised.TryGetValue((user, site), out var own))
        {
            if (own > now)
                return TimeSpan.FromMilliseconds(own - now);
            _promised.Remove((user, site));
            if (now - own <= PromisedFor.TotalMilliseconds)
                return TimeSpan.Zero;
        }

        var pause = PauseAfter(tries.Count, FreeCountOfStrangers);
        pause = pause < StrangersPauseMax ? pause : StrangersPauseMax;
        var next = Math.Max(tries.LastAt, tries.PromisedAt) + (long)pause.TotalMilliseconds;
        if (next > now && (next - now > PromisedMax * pause.TotalMilliseconds || !HasRoom(now)))
            return pause;
        _tries[(user, Strangers)] = tries with { PromisedAt = Math.Max(next, now) };
        if (next <= now)
            return TimeSpan.Zero;
        _promised[(user, site)] = next;
        return TimeSpan.FromMilliseconds(next - now);
    }

    private bool HasRoom(long now)
    {
        if (_promised.Count < UserCountMax)
            return true;
        if (now - _sweptAt < StrangersPauseMax.TotalMilliseconds)
            return false;
        _sweptAt = now;
        foreach (var (key, at) in _promised)
            if (now - at > PromisedFor.TotalMilliseconds)
                _promised.Remove(key);
        return _promised.Count < UserCountMax;
    }

    private void Count((string User, string Place) key, long now)
    {
        var tries = _tries.GetValueOrDefault(key);
        if (IsOver(tries, now))
            tries = default;
        if (_tries.Count >= UserCountMax && !_tries.ContainsKey(key))
            Shrink(now);
        _tries[key] = tries with { Count = Math.Min(tries.Count + 1, 64), LastAt = now };
    }

    private void Uncount((string User, string Place) key)
    {
        if (_tries.TryGetValue(key, out var tries))
            _tries[key] = tries with { Count = Math.Max(0, tries.Count - 1) };
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
