using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;

namespace ChordChat.Sdk.Sessions;

/// <summary>Carries frames both ways over one session until it ends.</summary>
/// <remarks>One writer and one reader; the writer sends whatever has gathered in one frame.</remarks>
internal sealed class SessionLoop(
    Session session, Device device, KeyBook keys, Outbox outbox, Inbox inbox, GapWatch gaps, Receipts receipts,
    ChangeSignal changed, IClientSink sink)
{
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    /// <summary>How often what no majority keeps yet is handed in again: its node may have had no room for
    /// it.</summary>
    public static readonly TimeSpan AgainInterval = TimeSpan.FromSeconds(20);

    private const int SendsPerFrame = 64;

    /// <summary>Sealed bytes in one frame, one message more at most; nodes take no frame of more than 4 MiB.</summary>
    private const int FrameBytesMax = 1 << 20;

    /// <summary>How soon mail that could not be judged is asked for again; doubled each time in vain.</summary>
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan SecondLookMax = TimeSpan.FromMinutes(1);

    /// <summary>Pushed bytes that wait for their senders' keys here; beyond it they are asked for again.</summary>
    private const int ParkedBytesMax = 4 << 20;

    private readonly SendTurns _turns = new(outbox);
    private readonly Lock _taking = new();
    private readonly Dictionary<string, List<Push>> _parked = [];
    private long _parkedBytes;
    private bool _isOver;
    private long _againAt = Environment.TickCount64 + (long)AgainInterval.TotalMilliseconds;
    private long _lookAgainAt;
    private TimeSpan _lookAgainAfter = SecondLook;
    private bool _repeat;

    /// <returns>Why the node ended the session; null when it simply closed the stream.</returns>
    public async Task<SessionEnded?> RunAsync(CancellationToken cancellation)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        gaps.SessionBegins();
        var lookups = new KeyLookups(keys.RefreshAsync, changed, both.Token);
        var writer = WriteAsync(lookups, both.Token);
        var reader = ReadAsync(lookups, both.Token);
        try
        {
            await await Task.WhenAny(writer, reader);
            return await reader;
        }
        finally
        {
            lock (_taking)
                _isOver = true;
            await both.CancelAsync();
            await Task.WhenAll(writer, reader, lookups.StoppedAsync())
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<SessionEnded?> ReadAsync(KeyLookups lookups, CancellationToken cancellation)
    {
        while (await session.ReadAsync(cancellation) is { } frame)
        {
            if (frame.Outcomes.Count > 0)
                TakeOutcomes(frame);
            if (frame.Pushes.Count > 0)
                TakePushes(frame.Pushes, lookups);
            if (frame.CaughtUp)
                TakeCaughtUp();
            if (frame.Notice is { Text.Length: > 0 } notice)
                sink.Tell(new ClientEvent.Notice(NodeWords.Text(notice.Text)));
            if (frame.Ended is { } ended)
                return ended;
        }

        return null;
    }

    private void TakeOutcomes(NodeFrame frame)
    {
        var moved = outbox.Apply(frame.Outcomes);
        _turns.Answered(frame.Outcomes);
        sink.Changed(moved);
        changed.Raise();
    }

    /// <param name="lookups">Asks for the keys of senders that are not known; null: they were asked for in vain.
    /// </param>
    private void TakePushes(IReadOnlyList<Push> pushes, KeyLookups? lookups)
    {
        lock (_taking)
        {
            var handled = inbox.Handle(device, pushes);
            var parkedCount = lookups is null ? 0 : handled.MustAsk.Count(one => TryPark(one.From, one.Push, lookups));
            if (handled.UnjudgedCount + handled.MustAsk.Count > parkedCount && _lookAgainAt == 0)
                _lookAgainAt = Environment.TickCount64 + (long)_lookAgainAfter.TotalMilliseconds;
        }

        gaps.Look();
        changed.Raise();
    }

    /// <summary>Puts a message aside until its sender's keys are known; the reader goes on with everybody else's.
    /// </summary>
    private bool TryPark(string from, Push push, KeyLookups lookups)
    {
        if (_parkedBytes + push.Envelope.Length > ParkedBytesMax)
            return false;
        _parkedBytes += push.Envelope.Length;
        if (!_parked.TryGetValue(from, out var parked))
        {
            _parked[from] = parked = [];
            lookups.Ask(from);
            _ = lookups.WhenDone(from).ContinueWith(
                _ => Unpark(from), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        parked.Add(push);
        return true;
    }

    private void Unpark(string from)
    {
        lock (_taking)
        {
            if (!_parked.Remove(from, out var parked))
                return;
            _parkedBytes -= parked.Sum(push => push.Envelope.Length);
            if (!_isOver)
                TakePushes(parked, lookups: null);
        }
    }

    /// <summary>The whole mailbox has been pushed.</summary>
    private void TakeCaughtUp()
    {
        if (_lookAgainAt == 0)
            _lookAgainAfter = SecondLook;
        gaps.CaughtUp();
        changed.Raise();
        sink.CaughtUp();
    }

    private async Task WriteAsync(KeyLookups lookups, CancellationToken cancellation)
    {
        var lastWrite = Environment.TickCount64;
        while (true)
        {
            var wake = changed.Next;
            var (_, receiptsDue) = receipts.PutDue();
            var (refused, waiting) = outbox.SealWaiting(device, lookups);
            sink.Changed(refused);
            var more = false;
            do
            {
                var frame = Gather(out more);
                if (Environment.TickCount64 - lastWrite >= Heartbeat.TotalMilliseconds)
                    frame.Heartbeat = true;
                if (frame.CalculateSize() == 0)
                    break;
                await session.WriteAsync(frame, cancellation);
                lastWrite = Environment.TickCount64;
            }
            while (more);

            var wait = Heartbeat - TimeSpan.FromMilliseconds(Environment.TickCount64 - lastWrite);
            wait = Earlier(wait, receiptsDue, lookups.NextDue(waiting), SecondLookDue());
            if (wait > TimeSpan.Zero)
                await Task.WhenAny(wake, Task.Delay(wait, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private ClientFrame Gather(out bool more)
    {
        if (Environment.TickCount64 >= _againAt)
        {
            _turns.Again();
            _againAt += (long)AgainInterval.TotalMilliseconds;
        }

        var frame = new ClientFrame { Resync = gaps.TakeQuestion(), Repeat = _repeat };
        _repeat = false;
        while (inbox.Settled.TryDequeue(out var id))
            frame.Acknowledged.Add(id);
        frame.Sends.Add(_turns.Take(SendsPerFrame, FrameBytesMax));
        more = frame.Sends.Count > 0;
        return frame;
    }

    /// <summary>When mail that could not be judged is asked for again; asks if that time has come.</summary>
    private TimeSpan? SecondLookDue()
    {
        if (_lookAgainAt == 0)
            return null;
        var left = TimeSpan.FromMilliseconds(_lookAgainAt - Environment.TickCount64);
        if (left > TimeSpan.Zero)
            return left;
        _lookAgainAt = 0;
        _lookAgainAfter = _lookAgainAfter * 2 < SecondLookMax ? _lookAgainAfter * 2 : SecondLookMax;
        _repeat = true;
        return TimeSpan.Zero;
    }

    private static TimeSpan Earlier(TimeSpan wait, params ReadOnlySpan<TimeSpan?> others)
    {
        foreach (var other in others)
            if (other is { } sooner && sooner < wait)
                wait = sooner;
        return wait;
    }
}

/// <summary>Where a session reports to.</summary>
internal interface IClientSink
{
    void Tell(ClientEvent what);

    /// <summary>These messages of ours came further.</summary>
    void Changed(IReadOnlyCollection<string> ids);

    void Take(Kept kept);

    void CaughtUp();
}
