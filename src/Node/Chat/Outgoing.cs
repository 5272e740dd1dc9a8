using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>What waits to be written to one client. Mail in it is bounded; whoever finds it full leaves the mail where
/// it is, in the mailbox.</summary>
/// <remarks>Safe for threads. The lock is a leaf: nothing is called inside it.</remarks>
internal sealed class Outgoing(int bytesMax)
{
    /// <summary>How much mail goes into one frame.</summary>
    private const int BatchBytesMax = 256 * 1024;

    /// <summary>A report is short and made of many parts: clients refuse a frame that would take much more memory than
    /// its bytes.</summary>
    public const int BatchReportsMax = 500;

    private readonly Lock _turn = new();
    private Queue<StoredMessage>? _mail;
    private List<SendReport>? _reports;
    private TaskCompletionSource? _room;
    private long _mailBytes;
    private CircleOutcome? _circle;
    private bool _heartbeat;
    private ulong? _caughtUp;
    private bool _isOver;
    private SessionEnd? _end;

    /// <summary>Called whenever there is something to take; must not wait. Set once, before the first use.</summary>
    public Action Wake { get; set; } = () => { };

    public bool TryPush(StoredMessage message)
    {
        lock (_turn)
        {
            if (_isOver || (_mailBytes > 0 && _mailBytes + message.Content.Length > bytesMax))
                return false;
            (_mail ??= new()).Enqueue(message);
            _mailBytes += message.Content.Length;
        }

        Wake();
        return true;
    }

    public void Report(SendReport report)
    {
        lock (_turn)
        {
            if (_isOver)
                return;
            (_reports ??= []).Add(report);
        }

        Wake();
    }

    public bool IsEmpty
    {
        get
        {
            lock (_turn)
                return _reports is null && _mail is null && _circle is null
                    && !_heartbeat && _caughtUp is null && _end is null;
        }
    }

    /// <summary>Bytes of mail that wait here.</summary>
    public long WaitingBytes
    {
        get
        {
            lock (_turn)
                return _mailBytes;
        }
    }

    /// <summary>What the user's circle is now; an older answer that waits is of no use any more.</summary>
    public void Tell(CircleOutcome circle)
    {
        lock (_turn)
            _circle = _isOver ? null : circle;
        Wake();
    }

    public void Heartbeat()
    {
        lock (_turn)
            _heartbeat = !_isOver;
        Wake();
    }

    /// <summary>Says so once all mail that waits now has been taken.</summary>
    /// <param name="reading">As in <see cref="OutgoingBatch.CaughtUp"/>.</param>
    public void CaughtUp(ulong reading)
    {
        lock (_turn)
            _caughtUp = _isOver ? null : reading;
        Wake();
    }

    /// <summary>The last thing this client is told; mail that waits is left in the mailbox.</summary>
    public void End(SessionEnd end)
    {
        lock (_turn)
        {
            _end ??= end;
            var reports = _reports; // What became of its sends it still hears.
            Stop();
            _reports = reports;
        }

        Wake();
    }

    /// <summary>Takes nothing more and gives nothing more: the client is gone.</summary>
    public void Close()
    {
        lock (_turn)
            Stop();
    }

    /// <summary>Takes as much as fits into one frame; null when nothing waits.</summary>
    public OutgoingBatch? Take()
    {
        lock (_turn)
        {
            var mail = TakeMail();
            var reports = TakeReports();
            var end = _reports is null ? _end : null; // The last word.
            var batch = new OutgoingBatch(reports, mail, _heartbeat, _mail is null ? _caughtUp : null, end)
            {
                Circle = _circle,
            };
            if (batch.IsEmpty)
                return null;
            _circle = null;
            _heartbeat = false;
            if (batch.CaughtUp is not null)
                _caughtUp = null;
            if (end is not null)
                _end = null;
            if (_mailBytes <= bytesMax / 2)
                FreeRoom();
            return batch;
        }
    }

    /// <summary>Ends once half of the room for mail is free again, or the session is over.</summary>
    public Task RoomAsync(CancellationToken cancellation)
    {
        lock (_turn)
        {
            if (_isOver || _mailBytes <= bytesMax / 2)
                return Task.CompletedTask;
            _room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellation);
        }
    }

    private List<SendReport>? TakeReports()
    {
        var taken = _reports;
        if (taken is null || taken.Count <= BatchReportsMax)
        {
            _reports = null;
            return taken;
        }

        _reports = taken[BatchReportsMax..];
        return taken[..BatchReportsMax];
    }

    private List<StoredMessage>? TakeMail()
    {
        if (_mail is null || _mail.Count == 0)
            return null;
        var taken = new List<StoredMessage>(Math.Min(_mail.Count, 64));
        var bytes = 0;
        while (_mail.TryPeek(out var next) && (taken.Count == 0 || bytes + next.Content.Length <= BatchBytesMax))
        {
            taken.Add(_mail.Dequeue());
            bytes += next.Content.Length;
        }

        _mailBytes -= bytes;
        if (_mail.Count == 0)
            _mail = null; // An idle session keeps no buffer.
        return taken;
    }

    private void Stop()
    {
        _isOver = true;
        _mail = null;
        _reports = null;
        _circle = null;
        _heartbeat = false;
        _caughtUp = null;
        _mailBytes = 0;
        FreeRoom();
    }

    private void FreeRoom()
    {
        _room?.SetResult();
        _room = null;
    }
}
