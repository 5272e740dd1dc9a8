using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Sdk.Sessions;

/// <summary>Carries frames both ways over one session until it ends.</summary>
/// <remarks>One writer and one reader; the writer sends whatever has gathered in one frame. What is pushed is looked at
/// beside them.</remarks>
internal sealed class SessionLoop(
    Session session, Device device, KeyBook keys, Outbox outbox, Inbox inbox, UnjudgedMail unjudged, GapWatch gaps,
    Receipts receipts, Circle circle, ChangeSignal changed, IClientSink sink)
{
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    /// <summary>A node that sent no frame for so long, though it was asked at every heartbeat, serves us no more,
    /// whatever its connection does.</summary>
    public static readonly TimeSpan SilenceMax = 4 * Heartbeat;

    /// <summary>How often what no majority keeps yet is handed in again: its node may have had no room for
    /// it.</summary>
    public static readonly TimeSpan AgainInterval = TimeSpan.FromSeconds(20);

    private const int SendsPerFrame = 64;

    /// <summary>Sealed bytes in one frame, one message more at most, beside <see cref="SettledIds.PerFrameMax"/> ids;
    /// nodes take no frame above 1.5 MiB.</summary>
    private const int FrameBytesMax = 1 << 20;

    private readonly SendTurns _turns = new(outbox);
    private readonly MailJudge _judge = new(device, keys, inbox, unjudged, gaps, changed, sink);
    private readonly TaskCompletionSource<SessionEnded?> _replaced =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly HashSet<string> _saidWaiting = [];
    private readonly SilenceWatch _silence = new(SilenceMax, TimeProvider.System);
    private ulong _reading; // The last one that was asked for.
    private long _againAt = Environment.TickCount64 + (long)AgainInterval.TotalMilliseconds;

    /// <returns>Why the node ended the session; null when it simply closed the stream.</returns>
    public async Task<SessionEnded?> RunAsync(CancellationToken cancellation)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        gaps.SessionBegins();
        circle.SessionBegins();
        _judge.SessionBegins();
        var lookups = new KeyLookups(LookAsync, changed, both.Token);
        var writer = WriteAsync(lookups, both.Token);
        var reader = ReadAsync(both.Token);
        var judging = Task.Run(() => _judge.RunAsync(lookups, both.Token), both.Token);
        var silence = _silence.RunAsync(both.Token);
        try
        {
            await await Task.WhenAny(writer, reader, judging, silence, _replaced.Task);
            return await (_replaced.Task.IsCompleted ? _replaced.Task : reader);
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAll(writer, reader, judging, silence, lookups.StoppedAsync())
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks up somebody's keys, or whether this user has a newer device: then mail comes that no key of this
    /// one opens, and the session is over, whatever its node says.</summary>
    private async Task<bool> LookAsync(string user, CancellationToken cancellation)
    {
        if (user != device.User)
            return await keys.RefreshAsync(user, cancellation);
        var (newest, isOfEnough) = await keys.AskOwnAsync(device.Log, cancellation);
        if (newest is not null)
            _replaced.TrySetResult(new SessionEnded
            {
                Reason = SessionEnded.Types.Reason.TakenOver,
                Since =
                {
                    newest.Entries.Skip(device.Log.Entries.Length)
                        .Select(entry => ByteString.CopyFrom(entry.Bytes.Span)),
                },
            });
        return isOfEnough;
    }

    private async Task<SessionEnded?> ReadAsync(CancellationToken cancellation)
    {
        while (await session.ReadAsync(cancellation) is { } frame)
        {
            _silence.Heard();
            if (frame.Outcomes.Count > 0)
                TakeOutcomes(frame);
            if (frame.Pushes.Count > 0)
                _judge.Take(frame.Pushes);
            if (frame.CaughtUp)
                _judge.CaughtUp(frame.CaughtUpReading);
            if (frame.Circle is { } now)
                TakeCircle(now);
            if (frame.Ended is { } ended)
                return ended;
        }

        return null;
    }

    private void TakeCircle(Wire.Circle now)
    {
        var wasKnown = circle.IsKnown;
        if (circle.Take(now) is { } problem)
            sink.Tell(new ClientEvent.Notice(problem));
        if (!wasKnown && circle.IsKnown)
            _judge.LookAgain();
        sink.Tell(new ClientEvent.CircleHeard());
    }

    private void TakeOutcomes(NodeFrame frame)
    {
        var moved = outbox.Apply(frame.Outcomes, session.Welcome.NodeName);
        _turns.Answered(frame.Outcomes);
        sink.Changed(moved);
        changed.Raise();
    }

    private async Task WriteAsync(KeyLookups lookups, CancellationToken cancellation)
    {
        var lastBeat = Environment.TickCount64;
        while (true)
        {
            var wake = changed.Next;
            var (_, receiptsDue) = receipts.PutDue();
            var (refused, waiting, hasMore) = outbox.SealWaiting(device, lookups);
            sink.Changed(refused);
            SayWhoCannotBeReached(waiting, lookups);
            var more = false;
            do
            {
                var frame = Gather(out more);
                frame.Heartbeat = Environment.TickCount64 - lastBeat >= Heartbeat.TotalMilliseconds;
                if (frame.CalculateSize() == 0 && frame.Circle is null)
                    break;
                if (frame.Heartbeat)
                    lastBeat = Environment.TickCount64;
                await session.WriteAsync(frame, cancellation);
            }
            while (more);

            var wait = Heartbeat - TimeSpan.FromMilliseconds(Environment.TickCount64 - lastBeat);
            wait = Earlier(wait, receiptsDue, lookups.NextDue(waiting), _judge.NextDue(lookups));
            if (wait > TimeSpan.Zero && !hasMore)
                await Task.WhenAny(wake, Task.Delay(wait, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A message that only waits says nothing of why; once for each person, until their keys are there.
    /// </summary>
    private void SayWhoCannotBeReached(List<string> waiting, KeyLookups lookups)
    {
        _saidWaiting.IntersectWith(waiting);
        foreach (var user in waiting)
            if (lookups.WhyForLong(user) is { } why && _saidWaiting.Add(user))
                sink.Tell(new ClientEvent.Notice(
                    $"what you wrote to {user} waits on this machine and goes out by itself: {why.Message}"));
    }

    private ClientFrame Gather(out bool more)
    {
        if (Environment.TickCount64 >= _againAt)
        {
            _turns.Again();
            _againAt += (long)AgainInterval.TotalMilliseconds;
        }

        var next = _reading + 1;
        var frame = new ClientFrame { Resync = gaps.TakeQuestion(next), Repeat = _judge.TakeRepeat(next) };
        if (frame.Resync || frame.Repeat)
            frame.Reading = _reading = next;
        if (circle.TakeChange() is { } change)
            frame.Circle = change;
        frame.Acknowledged.Add(inbox.Settled.Take());
        frame.Sends.Add(_turns.Take(SendsPerFrame, FrameBytesMax));
        more = frame.Sends.Count > 0 || inbox.Settled.Count > 0;
        return frame;
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
