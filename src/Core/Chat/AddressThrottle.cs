namespace ChordChat.Core.Chat;

/// <summary>Bounds the wrong guesses from one network address, whichever users they are for.</summary>
/// <remarks>Right guesses cost nothing, so that many people behind one address can log in at once. Times are
/// milliseconds of any clock that only goes forward. Not safe for threads.</remarks>
public sealed class AddressThrottle(int failuresPerMinuteMax)
{
    public const int AddressCountMax = 10_000;
    private const long WindowMs = 60_000;

    private readonly record struct Window(long StartedAt, int FailureCount);

    private readonly Dictionary<string, Window> _windows = [];

    /// <summary>How long this address has to wait; zero when it may go on.</summary>
    public TimeSpan Wait(string address, long now) =>
        _windows.TryGetValue(address, out var window)
        && window.FailureCount >= failuresPerMinuteMax
        && window.StartedAt + WindowMs > now
            ? TimeSpan.FromMilliseconds(window.StartedAt + WindowMs - now)
            : TimeSpan.Zero;

    /// <summary>How often this address has failed in its present minute.</summary>
    public int FailureCount(string address, long now) =>
        _windows.TryGetValue(address, out var window) && window.StartedAt + WindowMs > now ? window.FailureCount : 0;

    public void Failed(string address, long now, int count = 1)
    {
        var window = _windows.GetValueOrDefault(address, new Window(now, 0));
        if (window.StartedAt + WindowMs <= now)
            window = new Window(now, 0);
        if (_windows.Count >= AddressCountMax && !_windows.ContainsKey(address))
            ForgetHalf(now);
        _windows[address] = window with { FailureCount = window.FailureCount + count };
    }

    /// <summary>Those that failed least: whoever comes with many addresses does not wipe out what others did.</summary>
    private void ForgetHalf(long now)
    {
        var left = _windows
            .Where(entry => entry.Value.StartedAt + WindowMs > now)
            .OrderByDescending(entry => entry.Value.FailureCount)
            .Take(AddressCountMax / 2)
            .ToArray();
        _windows.Clear();
        foreach (var (address, window) in left)
            _windows.Add(address, window);
    }
}
