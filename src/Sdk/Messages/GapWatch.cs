using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk.Messages;

/// <summary>Sees to it that nothing stays held back for ever: what is missing is asked for, waited for a few seconds,
/// and then shown as missing. Also without a session, and after a restart.</summary>
/// <remarks>docs/e2e.md, Order. Safe for threads.</remarks>
internal sealed class GapWatch(IHeldMessages inbox, ChangeSignal changed, TimeProvider time)
{
    /// <summary>How long a gap may wait at least, and until the whole mailbox was read since it was seen.</summary>
    public static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(3);

    /// <summary>How long it may wait when the mailbox cannot be read.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(12);

    private readonly Lock _turn = new();
    private long? _since;
    private bool _mustAsk;
    private bool _wasAsked;
    private bool _wasRead;

    /// <summary>Something may be held back since now.</summary>
    public void Look()
    {
        lock (_turn)
        {
            if (!inbox.HasGaps)
                _since = null;
            else if (_since is null)
            {
                _since = time.GetTimestamp();
                (_mustAsk, _wasAsked, _wasRead) = (true, false, false);
            }
        }
    }

    /// <summary>Whether the mailbox is to be read again now; true once for each gap and session.</summary>
    public bool TakeQuestion()
    {
        lock (_turn)
        {
            var must = _mustAsk && _since is not null;
            _mustAsk &= !must;
            _wasAsked |= must;
            return must;
        }
    }

    /// <summary>A session begins: what was asked in the last one may never be answered.</summary>
    public void SessionBegins()
    {
        lock (_turn)
            (_mustAsk, _wasAsked) = (_since is not null, false);
    }

    /// <summary>The whole mailbox has been pushed.</summary>
    public void CaughtUp()
    {
        lock (_turn)
            _wasRead |= _wasAsked;
        inbox.CaughtUp();
        Look();
    }

    /// <summary>Gives up a gap whose time has come.</summary>
    /// <returns>When to come again; null when there is no gap.</returns>
    public TimeSpan? GiveUpDue()
    {
        lock (_turn)
        {
            if (_since is not { } since)
                return null;
            var left = (_wasRead ? WaitMin : WaitMax) - time.GetElapsedTime(since);
            if (left > TimeSpan.Zero)
                return left;
            _since = null;
        }

        inbox.GiveUpGaps();
        changed.Raise();
        return null;
    }

    /// <summary>Runs until cancelled.</summary>
    /// <param name="isMine">Whether this process keeps the profile's session; otherwise another one sees to it.</param>
    public async Task RunAsync(Func<bool> isMine, CancellationToken stopping)
    {
        var hasLooked = false;
        while (true)
        {
            var wake = changed.Next;
            if (isMine() && !hasLooked)
            {
                Look(); // What an earlier run of this program held back.
                hasLooked = true;
            }

            var due = GiveUpDue();
            await Task.WhenAny(wake, Task.Delay(due ?? TimeSpan.FromSeconds(1), time, stopping));
            stopping.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>Messages that wait for an earlier one of their sender.</summary>
internal interface IHeldMessages
{
    bool HasGaps { get; }

    /// <summary>The mailbox has been read whole.</summary>
    void CaughtUp();

    /// <summary>Shows what was held back for messages that did not come.</summary>
    void GiveUpGaps();
}
