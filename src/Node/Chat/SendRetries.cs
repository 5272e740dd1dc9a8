using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Messages that no majority keeps yet: tried again, with ever longer pauses, while this node lives.</summary>
internal sealed partial class SendRetries(
    ChatOptions options,
    IMessageSets sets,
    LiveDelivery live,
    DeliveryOrder order,
    ChatClock clock,
    ILogger<SendRetries> logger) : ILoop, IDisposable
{
    private const long PauseMaxMs = 15_000;
    private const int AtOnceMax = 64;

    /// <summary>One sender may fill this part of the queue.</summary>
    private const int SharesMin = 8;

    private sealed record Waiting(Submission Submission, long DueAt, int TryCount);

    /// <summary>Somebody else may give a message of theirs the same id.</summary>
    private readonly record struct Name(string From, string To, Core.Tiles.MessageId Id)
    {
        public static Name Of(Submission submission) => new(submission.From, submission.To, submission.Id);
    }

    private readonly LineBudget _keptLines = new(60);
    private readonly Lock _turn = new();
    private readonly SemaphoreSlim _some = new(0);
    private List<Waiting> _waiting = [];
    private readonly Dictionary<Name, Submission> _newest = [];
    private readonly Dictionary<string, long> _bytesOf = []; // Of each sender that has messages here.
    private long _bytes;

    /// <summary>Takes a message, in place of an earlier try of its sender to hand in the same one.</summary>
    /// <returns>False when there is no room: the sender's own copy has to do.</returns>
    public bool TryAdd(Submission submission)
    {
        lock (_turn)
        {
            var earlier = _newest.GetValueOrDefault(Name.Of(submission));
            var more = submission.Bytes - (earlier?.Bytes ?? 0); // Its sender may have handed in other bytes.
            var ofSender = _bytesOf.GetValueOrDefault(submission.From) + more;
            if (more > 0
                && (_bytes + more > options.QueuedBytesMax || ofSender > options.QueuedBytesMax / SharesMin))
                return false;
            Count(submission.From, more);
            _newest[Name.Of(submission)] = submission; // The turn of an earlier one comes; then this one is told.
            if (earlier is null)
                Put(submission, 0);
        }

        return true;
    }

    private void Count(string sender, long more)
    {
        _bytes += more;
        if (_bytesOf.GetValueOrDefault(sender) + more is var left and > 0)
            _bytesOf[sender] = left;
        else
            _bytesOf.Remove(sender);
    }

    public void Dispose() => _some.Dispose();

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            while (await TryDueAsync(stopping))
                await Task.Delay(options.RetryPause / 4, clock.Time, stopping);
            await _some.WaitAsync(stopping);
        }
    }

    /// <returns>Whether anything waits still.</returns>
    private async Task<bool> TryDueAsync(CancellationToken stopping)
    {
        foreach (var some in TakeDue().Chunk(AtOnceMax))
            await Task.WhenAll(some.Select(waiting => TryOrPutBackAsync(waiting, stopping)));
        lock (_turn)
            return _waiting.Count > 0;
    }

    private List<Waiting> TakeDue()
    {
        lock (_turn)
        {
            var now = clock.Steady;
            var due = _waiting.FindAll(waiting => waiting.DueAt <= now);
            if (due.Count > 0)
                _waiting = _waiting.FindAll(waiting => waiting.DueAt > now);
            return due;
        }
    }

    private async Task TryOrPutBackAsync(Waiting waiting, CancellationToken stopping)
    {
        try
        {
            await TryAsync(waiting, stopping);
        }
        catch (Exception cause) when (!stopping.IsCancellationRequested)
        {
            LogFailed(waiting.Submission.Id, cause);
            lock (_turn)
                Put(waiting.Submission, waiting.TryCount + 1);
        }
    }

    private async Task TryAsync(Waiting waiting, CancellationToken stopping)
    {
        Submission submission;
        lock (_turn)
            submission = _newest[Name.Of(waiting.Submission)];
        var envelope = submission.Envelope; // Forgotten while it is tried, perhaps.
        var add = envelope.IsEmpty
            // The last try has reached all by now.
            ? Task.FromResult<AddOutcome>(new AddOutcome.Stored(submission.Copies))
            : sets.AddAsync(
                SetKey.Mailbox(submission.To), order.HandedIn(submission), submission.Id, envelope,
                submission.Progress, stopping);
        var (isKeptFirst, isOld) = (order.IsKeptFirst(submission.From, submission.To), submission.IsOld(clock.Unix));
        if (!isKeptFirst && !isOld)
            await DeliverAsync(submission, envelope, stopping);
        var outcome = await add;
        order.Answered(submission.From, submission.To, outcome);
        switch (outcome)
        {
            case AddOutcome.Stored(var copies, var isOther):
                submission.Kept(copies);
                if (isKeptFirst && !isOld && !isOther)
                    await DeliverAsync(submission, envelope, stopping);
                if (_keptLines.Allows(clock.Steady, out var unsaid))
                    LogKept(submission.Id, waiting.TryCount + 1, unsaid);
                break;
            case AddOutcome.Full when !submission.IsLive:
                submission.Refused(EnvelopeSender.FullMailbox(submission.To));
                break;
            case AddOutcome.Occupied:
                submission.Refused(EnvelopeSender.Occupied);
                break;
            case AddOutcome.TooLate:
                submission.Refused(EnvelopeSender.TooLate);
                break;
            default:
                lock (_turn)
                    Put(submission, waiting.TryCount + 1);
                return;
        }

        lock (_turn)
        {
            if (_newest[Name.Of(submission)] is var newest && newest != submission)
            {
                Put(newest, 0); // It came meanwhile, and has not been told.
                return;
            }

            Count(submission.From, -submission.Bytes);
            _newest.Remove(Name.Of(submission));
        }
    }

    private async Task DeliverAsync(
        Submission submission, ReadOnlyMemory<byte> envelope, CancellationToken stopping)
    {
        if (!submission.IsLive && !envelope.IsEmpty
            && await live.DeliverAsync(submission.From, submission.To, submission.Id, envelope, stopping))
            submission.Delivered();
    }

    private void Put(Submission submission, int tryCount)
    {
        var pause = Math.Min(PauseMaxMs, options.RetryPause.TotalMilliseconds * Math.Pow(2, Math.Min(tryCount, 10)));
        _waiting.Add(new Waiting(submission, clock.Steady + (long)pause, tryCount));
        if (_waiting.Count == 1)
            _some.Release();
    }

    [LoggerMessage(5033, LogLevel.Error, "Sending {Message} again failed; it is tried once more")]
    private partial void LogFailed(Core.Tiles.MessageId message, Exception cause);

    [LoggerMessage(5032, LogLevel.Information,
        "{Message} is kept at last, after {TryCount} more tries, as are {Unsaid} others")]
    private partial void LogKept(Core.Tiles.MessageId message, int tryCount, long unsaid);
}
