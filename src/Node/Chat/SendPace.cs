namespace ChordChat.Node.Chat;

/// <summary>How fast one user may hand in messages at this node: a minute's worth at once, and then as they become due.
/// Who is faster is read from more slowly; nothing is refused.</summary>
/// <remarks>docs/operations.md#limits. By user, so that a new session begins with nothing. Safe for threads; the lock
/// is a leaf.</remarks>
internal sealed class SendPace(ChatOptions options, ChatClock clock)
{
    private const int UsersMax = 20_000;
    private const double WindowMs = 60_000;

    private readonly Lock _turn = new();
    private readonly Dictionary<string, double> _dueAt = [];

    /// <summary>Ends when this user's next message may be taken.</summary>
    public Task TurnAsync(string user, CancellationToken cancellation)
    {
        var wait = Take(user, clock.Steady);
        return wait > TimeSpan.Zero ? Task.Delay(wait, clock.Time, cancellation) : Task.CompletedTask;
    }

    /// <summary>Counts one message.</summary>
    /// <param name="now">Milliseconds of any clock that only goes forward.</param>
    /// <returns>How long it has to wait.</returns>
    public TimeSpan Take(string user, long now)
    {
        lock (_turn)
        {
            if (_dueAt.Count >= UsersMax && !_dueAt.ContainsKey(user))
                Prune(now);
            var dueAt = Math.Max(_dueAt.GetValueOrDefault(user), now) + WindowMs / options.SendsPerMinuteMax;
            _dueAt[user] = dueAt;
            return TimeSpan.FromMilliseconds(Math.Max(0, dueAt - now - WindowMs));
        }
    }

    private void Prune(long now)
    {
        foreach (var (user, dueAt) in _dueAt)
            if (dueAt <= now)
                _dueAt.Remove(user);
        if (_dueAt.Count >= UsersMax)
            _dueAt.Clear();
    }
}
