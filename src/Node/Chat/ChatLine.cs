using ChordChat.Core.Tiles;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Chat;

/// <summary>One Connect stream after the welcome: reads the client's frames, writes what waits for it.</summary>
/// <remarks>Writing has no loop of its own: a pump runs only while something waits, and whatever gathers while a frame
/// is being written goes into the next one.</remarks>
internal sealed class ChatLine(
    LiveSession session,
    IAsyncStreamReader<ClientFrame> requests,
    IServerStreamWriter<NodeFrame> responses,
    EnvelopeSender sender,
    SendPace pace,
    SessionClosing closing,
    CircleChanges circles,
    ChatClock clock)
{
    private int _isPumping;

    /// <summary>Ends when the session is over, with its last frame written.</summary>
    public async Task RunAsync(CancellationToken call)
    {
        session.Outgoing.Wake = Wake;
        Wake(); // For what came before there was anybody to wake.
        try
        {
            while (await requests.MoveNext(session.Lifetime))
                await TakeAsync(requests.Current);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The session is over, or the connection broke; gRPC calls reading after that an invalid operation.
        }

        if (!call.IsCancellationRequested && session.Lifetime.IsCancellationRequested)
            await session.Over.WaitAsync(TimeSpan.FromSeconds(5), clock.Time, call)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async ValueTask TakeAsync(ClientFrame frame)
    {
        session.HeardAt = clock.Steady;
        if (frame.Acknowledged.Count > 0)
            Acknowledge(frame);
        foreach (var send in frame.Sends)
        {
            await session.Sends.RoomAsync(session.Lifetime);
            await pace.TurnAsync(session.User, session.Lifetime);
            sender.Submit(
                session, send.To, send.Id.Memory, send.Envelope.Memory, send.AgeMs, session.Lifetime);
        }

        if (frame.Circle is { } change)
            circles.Begin(session, change.Block, change.Unblock, change.WroteTo);
        if (frame.Resync)
            session.Mail.Resync(frame.Reading);
        if (frame.Repeat)
            session.Mail.Repeat(frame.Reading);
        if (frame.Heartbeat)
            session.Outgoing.Heartbeat();
        if (frame.LogOut)
            await closing.LogOutAsync(session);
    }

    private void Acknowledge(ClientFrame frame)
    {
        var ids = new List<MessageId>(frame.Acknowledged.Count);
        foreach (var id in frame.Acknowledged)
            if (id.Length == 16)
                ids.Add(MessageId.FromBytes(id.Span));
        session.Settling.Add(session.Mail.Settled(ids));
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isPumping, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static line => _ = line.PumpAsync(), this, preferLocal: false);
    }

    private async Task PumpAsync()
    {
        try
        {
            do
            {
                while (session.Outgoing.Take() is { } batch)
                    if (!await WriteAsync(batch))
                        return;
                session.Mail.Drained();
                Volatile.Write(ref _isPumping, 0);
            }
            while (!session.Outgoing.IsEmpty && Interlocked.Exchange(ref _isPumping, 1) == 0);
        }
        catch (Exception)
        {
            session.Close(); // The call has ended under the writing. Whatever else it was: the client comes again.
        }
    }

    private async Task<bool> WriteAsync(OutgoingBatch batch)
    {
        await responses.WriteAsync(ChatMaps.ToWire(batch));
        if (batch.Reports is { } reports)
            session.Sends.Closed(reports.Count(report => report.IsFirst));
        if (batch.End is null)
            return true;
        session.Close();
        return false;
    }
}
