using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk.Messages;

/// <summary>Sees to it that nothing stays held back for ever: what is missing is asked for, waited for a few seconds,
/// and then shown as missing; each sender's by itself. Also without a session, and after a restart.</summary>
/// <remarks>docs/e2e.md, Order. Safe for threads. Locks: this one, then those of whoever says what is held back and
/// what waits.</remarks>
internal sealed class GapWatch(IHeldMessages inbox, ChangeSignal changed, TimeProvider time)
{
    /// <summary>How long a gap may wait at least, and until the whole mailbox was read since it was seen.</summary>
    public static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(3);

    /// <summary>How long it may wait when the mailbox cannot be read, since no more mail of its sender waits
    /// here.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(12);

    /// <summary>How long it may wait whatever comes.</summary>
    public static readonly TimeSpan BusyMax = TimeSpan.FromMinutes(1);

    /// <summary>How long nothing is looked at while there is nothing to wait for, and after a write in vain.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private sealed class Gap
    {
        public required long Since { get; init; }

        /// <summary>When mail of its sender was seen to wait last.</summary>
        public required long QuietSince { get; set; }

        /// <summary>The reading of the mailbox that was asked for because of it, in this session.</summary>
        public ulong? AskedIn { get; set; }

        public bool WasRead { get; set; }
    }

    private readonly Lock _turn = new();
    private readonly Dictionary<string, Gap> _gaps = [];
    private bool _isAsking; // One question at a time, however many senders it is for.

    /// <summary>Something may be held back since now.</summary>
    /// <param name="isWaiting">Whether more mail of a sender waits to be looked at.</param>
    public void Look(Func<string, bool> isWaiting)
    {
        lock (_turn)
        {
            var senders = inbox.Gaps();
            foreach (var filled in _gaps.Keys.Except(senders).ToList())
                _gaps.Remove(filled);
            foreach (var sender in senders)
            {
                var now = time.GetTimestamp();
                if (!_gaps.TryGetValue(sender, out var gap))
                    _gaps[sender] = gap = new Gap { Since = now, QuietSince = now };
                if (isWaiting(sender))
                    gap.QuietSince = now;
            }
        }
    }

    /// <summary>Whether the mailbox is to be read again now; true once for each gap and session.</summary>
    /// <param name="reading">The number of that reading.</param>
    public bool TakeQuestion(ulong reading)
    {
        lock (_turn)
        {
            if (_isAsking)
                return false;
            foreach (var gap in _gaps.Values.Where(gap => gap.AskedIn is null))
                (gap.AskedIn, _isAsking) = (reading, true);
            return _isAsking;
        }
    }

    /// <summary>What was asked for has come, but mail of this sender was not looked at by then.</summary>
    public void AskAgain(string sender)
    {
        lock (_turn)
            if (_gaps.TryGetValue(sender, out var gap))
                gap.AskedIn = null;
    }

    /// <summary>A session begins: what was asked in the last one may never be answered.</summary>
    public void SessionBegins()
    {
        lock (_turn)
        {
            _isAsking = false;
            foreach (var gap in _gaps.Values)
                gap.AskedIn = null;
        }
    }

    /// <summary>The whole mailbox has been pushed, and looked at.</summary>
    /// <param name="reading">The newest that was asked for before this reading of it began; 0 if none was.</param>
    /// <param name="isWaiting">Whether more mail of a sender is to come all the same.</param>
    public void CaughtUp(ulong reading, Func<string, bool> isWaiting)
    {
        var waiting = inbox.Gaps().Where(isWaiting).ToHashSet();
        lock (_turn)
        {
            _isAsking = false;
            foreach (var (sender, gap) in _gaps)
                gap.WasRead |= gap.AskedIn <= reading && !waiting.Contains(sender);
        }

        inbox.CaughtUp(waiting);
        Look(isWaiting);
    }

    /// <summary>Gives up gaps whose time has come.</summary>
    /// <returns>When to come again; null when there is no gap.</returns>
    public TimeSpan? GiveUpDue()
    {
        var due = new Dictionary<string, Gap>();
        TimeSpan? next = null;
        lock (_turn)
        {
            foreach (var (sender, gap) in _gaps)
                if (LeftOf(gap) is var left && left <= TimeSpan.Zero)
                    due[sender] = gap;
                else if (next is null || left < next)
                    next = left;
            foreach (var sender in due.Keys)
                _gaps.Remove(sender);
        }

        if (due.Count == 0)
            return next;
        try
        {
            inbox.GiveUpGaps(due.Keys.ToHashSet());
        }
        catch
        {
            lock (_turn)
                foreach (var (sender, gap) in due)
                    _gaps.TryAdd(sender, gap); // They are still there, and still due.
            throw;
        }

        changed.Raise();
        return next;
    }

    /// <summary>Runs until cancelled: what the disk refuses now is tried again a second later.</summary>
    /// <param name="isMine">Whether this process keeps the profile's session; otherwise another one sees to it.</param>
    /// <param name="failed">Hears of every try in vain.</param>
    public async Task RunAsync(Func<bool> isMine, Action<Exception> failed, CancellationToken stopping)
    {
        var hasLooked = false;
        while (true)
        {
            var wake = changed.Next;
            var due = (TimeSpan?)null;
            var hasFailed = false;
            try
            {
                if (isMine() && !hasLooked)
                {
                    Look(_ => false); // What an earlier run of this program held back.
                    hasLooked = true;
                }

                due = isMine() ? GiveUpDue() : null; // A window that was taken over may still be there.
            }
            catch (Exception cause)
            {
                failed(cause);
                hasFailed = true; // What changes meanwhile makes no room on a disk.
            }

            var rest = Task.Delay(due ?? Pause, time, stopping);
            await (hasFailed ? rest : Task.WhenAny(wake, rest));
            stopping.ThrowIfCancellationRequested();
        }
    }

    private TimeSpan LeftOf(Gap gap)
    {
        var left = BusyMax - time.GetElapsedTime(gap.Since);
        var calm = gap.WasRead
            ? WaitMin - time.GetElapsedTime(gap.Since)
            : WaitMax - time.GetElapsedTime(gap.QuietSince);
        return calm < left ? calm : left;
    }
}

/// <summary>Messages that wait for an earlier one of their sender.</summary>
internal interface IHeldMessages
{
    /// <summary>Of whom anything is held back that was not given up yet.</summary>
    IReadOnlyCollection<string> Gaps();

    /// <summary>The mailbox has been read whole, but for mail of some senders that is still to come.</summary>
    void CaughtUp(IReadOnlySet<string> waiting);

    /// <summary>Shows what was held back for messages of these senders that did not come.</summary>
    void GiveUpGaps(IReadOnlySet<string> senders);
}
