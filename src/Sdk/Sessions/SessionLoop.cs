using System.Collections.Concurrent;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Sdk.Sessions;

/// <summary>Carries frames both ways over one session until it ends.</summary>
/// <remarks>One writer and one reader; the writer sends whatever has gathered in one frame.</remarks>
internal sealed class SessionLoop(
    Session session, Device device, Outbox outbox, Inbox inbox, Receipts receipts, ChangeSignal changed,
    IClientSink sink)
{
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    /// <summary>How long a gap may wait for what the mailbox still holds before it is shown as one.</summary>
    public static readonly TimeSpan GapWait = TimeSpan.FromSeconds(3);

    /// <summary>How often what no majority keeps yet is handed in again: its node may have had no room for
    /// it.</summary>
    public static readonly TimeSpan AgainInterval = TimeSpan.FromSeconds(20);

    private const int InFlightMax = 256;
    private const int SendsPerFrame = 64;

    /// <summary>Sealed bytes in one frame, one message more at most; nodes take no frame of more than 4 MiB.</summary>
    private const int FrameBytesMax = 1 << 20;

    /// <summary>How soon mail that could not be judged is asked for again; doubled each time in vain.</summary>
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan SecondLookMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryKeys = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<ByteString> _acknowledge = new();
    private readonly HashSet<string> _inFlight = [];
    private long _sentUpTo;
    private long _againAt = Environment.TickCount64 + (long)AgainInterval.TotalMilliseconds;
    private long _gapSince;
    private long _lookAgainAt;
    private TimeSpan _lookAgainAfter = SecondLook;
    private bool _resync;
    private bool _repeat;

    /// <returns>Why the node ended the session; null when it simply closed the stream.</returns>
    public async Task<SessionEnded?> RunAsync(CancellationToken cancellation)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var writer = WriteAsync(both.Token);
        var reader = ReadAsync(both.Token);
        try
        {
            await await Task.WhenAny(writer, reader);
            return await reader;
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAll(writer, reader).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<SessionEnded?> ReadAsync(CancellationToken cancellation)
    {
        while (await session.ReadAsync(cancellation) is { } frame)
        {
            if (frame.Outcomes.Count > 0)
                TakeOutcomes(frame);
            if (frame.Pushes.Count > 0)
                await TakePushesAsync(frame, cancellation);
            if (frame.CaughtUp)
                TakeCaughtUp();
            if (frame.Notice is { Text.Length: > 0 } notice)
                sink.Tell(new ClientEvent.Notice(notice.Text));
            if (frame.Ended is { } ended)
                return ended;
        }

        return null;
    }

    private void TakeOutcomes(NodeFrame frame)
    {
        var moved = outbox.Apply(frame.Outcomes);
        lock (_inFlight)
            foreach (var outcome in frame.Outcomes)
                _inFlight.Remove(Convert.ToHexStringLower(outcome.Id.Span));
        sink.Changed(moved);
        changed.Raise();
    }

    private async Task TakePushesAsync(NodeFrame frame, CancellationToken cancellation)
    {
        var (kept, acknowledge) = await inbox.HandleAsync(device, frame.Pushes, cancellation);
        foreach (var id in acknowledge)
            _acknowledge.Enqueue(id);
        sink.Take(kept);
        if (acknowledge.Count < frame.Pushes.Count && _lookAgainAt == 0)
            _lookAgainAt = Environment.TickCount64 + (long)_lookAgainAfter.TotalMilliseconds;
        if (!inbox.HasGaps)
            _gapSince = 0;
        else if (_gapSince == 0)
        {
            _gapSince = Environment.TickCount64;
            _resync = true;
        }

        changed.Raise();
    }

    /// <summary>The whole mailbox has been pushed.</summary>
    private void TakeCaughtUp()
    {
        if (_lookAgainAt == 0)
            _lookAgainAfter = SecondLook;
        sink.CaughtUp();
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        var lastWrite = Environment.TickCount64;
        while (true)
        {
            var wake = changed.Next;
            var (_, receiptsDue) = receipts.PutDue();
            var (refused, tryAgain) = await outbox.SealWaitingAsync(device, cancellation);
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
            wait = Earlier(wait, receiptsDue, tryAgain ? RetryKeys : null, GapDue(), SecondLookDue());
            if (wait > TimeSpan.Zero)
                await Task.WhenAny(wake, Task.Delay(wait, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private ClientFrame Gather(out bool more)
    {
        if (Environment.TickCount64 >= _againAt)
        {
            _sentUpTo = 0;
            _againAt += (long)AgainInterval.TotalMilliseconds;
        }

        var frame = new ClientFrame { Resync = _resync, Repeat = _repeat };
        _resync = _repeat = false;
        while (_acknowledge.TryDequeue(out var id))
            frame.Acknowledged.Add(id);
        int room;
        lock (_inFlight)
            room = Math.Min(SendsPerFrame, InFlightMax - _inFlight.Count);
        var sends = room > 0 ? outbox.Sealed(_sentUpTo, room) : [];
        var bytes = 0;
        foreach (var (position, send) in sends)
        {
            if (bytes >= FrameBytesMax)
                break;
            bytes += send.Envelope.Length;
            frame.Sends.Add(send);
            _sentUpTo = position;
            lock (_inFlight)
                _inFlight.Add(Convert.ToHexStringLower(send.Id.Span));
        }

        more = sends.Count > 0;
        return frame;
    }

    /// <summary>When the oldest gap is to be given up; gives it up if that time has come.</summary>
    private TimeSpan? GapDue()
    {
        if (_gapSince == 0)
            return null;
        var left = GapWait - TimeSpan.FromMilliseconds(Environment.TickCount64 - _gapSince);
        if (left > TimeSpan.Zero)
            return left;
        _gapSince = 0;
        sink.Take(inbox.GiveUpGaps());
        changed.Raise();
        return null;
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
