using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk.Keys;

/// <summary>Looks people's keys up beside a session, so that whoever cannot be looked up delays nobody else.</summary>
/// <remarks>One lookup a person at a time. After one in vain the next waits 1 s, then 2 s, 4 s ... up to 10 s. Safe for
/// threads; <paramref name="changed"/> is raised after each lookup.</remarks>
/// <param name="look">Asks nodes for somebody's keys and says whether enough of them showed some, or throws
/// <see cref="ChordChatException"/>.</param>
internal sealed class KeyLookups(
    Func<string, CancellationToken, Task<bool>> look, ChangeSignal changed, CancellationToken lifetime)
{
    public const int AtOnceMax = 32;

    private const int RememberedMax = 1024;

    /// <summary>How long one lookup may take before its place goes to another one: after two nodes that took too long,
    /// the third may take 5 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    /// <summary>A pause as long as this follows three lookups in vain: their user should know.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(4);

    private sealed class Asked
    {
        public Task<KeysShown>? Running { get; set; }

        public ChordChatException? Failure { get; set; }

        public long DueAt { get; set; }

        public TimeSpan Pause { get; set; }
    }

    private readonly Lock _turn = new();
    private readonly Dictionary<string, Asked> _asked = [];
    private int _running;

    /// <summary>Starts a lookup unless one runs, or the last one was in vain a moment ago.</summary>
    /// <returns>Why the last lookup was in vain; null if it was not, or there was none.</returns>
    public ChordChatException? Ask(string user)
    {
        lock (_turn)
            return Begin(user).Failure;
    }

    /// <summary>Why somebody cannot be looked up; null if they can be, or if lookups have failed for a short time
    /// only.</summary>
    public ChordChatException? WhyForLong(string user)
    {
        lock (_turn)
            return _asked.GetValueOrDefault(user) is { } asked && asked.Pause >= LongPause ? asked.Failure : null;
    }

    /// <summary>As <see cref="Ask"/>, for whoever waits for the lookup.</summary>
    /// <returns>Who showed the keys; null when no lookup runs now.</returns>
    public Task<KeysShown>? TryLook(string user)
    {
        lock (_turn)
            return Begin(user).Running;
    }

    /// <summary>How long until one of these people may be looked up again; null when lookups run for all of them.
    /// </summary>
    public TimeSpan? NextDue(IEnumerable<string> users)
    {
        lock (_turn)
        {
            var due = users.Select(_asked.GetValueOrDefault)
                .Where(asked => asked is { Running: null, Failure: not null }).Min(asked => asked?.DueAt);
            return due is { } at
                ? TimeSpan.FromMilliseconds(Math.Max(10, at - Environment.TickCount64))
                : null;
        }
    }

    /// <summary>Waits for what still runs after the lifetime has ended.</summary>
    public Task StoppedAsync()
    {
        lock (_turn)
            return Task.WhenAll(_asked.Values.Select(asked => asked.Running).OfType<Task>());
    }

    private Asked Begin(string user)
    {
        if (!_asked.TryGetValue(user, out var asked))
        {
            ForgetOld();
            _asked[user] = asked = new Asked();
        }

        if (asked.Running is null && _running < AtOnceMax && Environment.TickCount64 >= asked.DueAt)
            Start(user, asked);
        return asked;
    }

    private void ForgetOld()
    {
        if (_asked.Count < RememberedMax)
            return;
        var now = Environment.TickCount64;
        foreach (var (user, asked) in _asked)
            if (asked.Running is null && now >= asked.DueAt)
                _asked.Remove(user);
    }

    private void Start(string user, Asked asked)
    {
        _running++;
        asked.Running = Task.Run(() => LookAsync(user, asked));
    }

    private async Task<KeysShown> LookAsync(string user, Asked asked)
    {
        ChordChatException? failure = null;
        var shown = KeysShown.ByNobody;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(lifetime);
            patience.CancelAfter(Patience);
            shown = await look(user, patience.Token) ? KeysShown.ByEnough : KeysShown.ByFew;
        }
        catch (ChordChatException cause)
        {
            failure = cause;
        }
        catch (Exception cause)
        {
            // Also what nobody expects: an entry whose lookup is over must not look like one that runs.
            failure = Failures.Unavailable($"the keys of {user} cannot be read", cause);
        }

        lock (_turn)
        {
            _running--;
            if (failure is null)
                _asked.Remove(user);
            else
                PutOff(asked, failure);
        }

        changed.Raise();
        return shown;
    }

    private static void PutOff(Asked asked, ChordChatException failure)
    {
        asked.Running = null;
        asked.Failure = failure;
        asked.Pause = asked.Pause * 2 < PauseMin ? PauseMin : asked.Pause * 2;
        if (asked.Pause > PauseMax)
            asked.Pause = PauseMax;
        asked.DueAt = Environment.TickCount64 + (long)asked.Pause.TotalMilliseconds;
    }
}

/// <summary>What became of a lookup.</summary>
internal enum KeysShown
{
    ByNobody,

    /// <summary>What they do not show may be there all the same.</summary>
    ByFew,
    ByEnough,
}
