using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>The calls that this node makes to one other node: one stream, many calls in flight, sent in
/// batches.</summary>
/// <remarks>
/// A call ends exactly once: with the answer, or with null when the peer cannot be reached, is too slow to take more,
/// or the stream broke (then the call may or may not have taken effect). While the peer is down calls end at once.
/// </remarks>
internal sealed partial class PeerLink : IAsyncDisposable
{
    /// <summary>Calls that may wait for one peer; further ones end with null at once.</summary>
    public const int InFlightMax = 16_384;

    /// <summary>Bytes of these calls: past it the next one ends with null at once.</summary>
    public const long InFlightBytesMax = 32L << 20;

    /// <summary>A call without an answer ends with null after this time, and at most a tick later.</summary>
    public static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(20);

    /// <summary>Calls in one frame; with <see cref="FrameBytesMax"/> it stays below the 4 MiB that nodes take.
    /// </summary>
    private const int FrameCallsMax = 128;

    private const int FrameBytesMax = 1 << 20;

    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private readonly NodeId _peer;
    private readonly Func<NodeId, Wire.Replica.ReplicaClient?> _connect;
    private readonly LinkHandshake _handshake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<(Call Call, int Bytes)?> _outbox =
        Channel.CreateUnbounded<(Call Call, int Bytes)?>(new() { SingleReader = true });
    private readonly Lock _turn = new();
    private readonly Dictionary<ulong, Pending> _pending = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private readonly Task _watching;
    private CancellationTokenSource? _broken;
    private long _pendingBytes;
    private ulong _lastNumber;
    private ulong _lastWritten;
    private bool _down;
    private bool _greeting;

    public PeerLink(
        NodeId peer,
        Func<NodeId, Wire.Replica.ReplicaClient?> connect,
        LinkHandshake handshake,
        TimeProvider time,
        ILogger logger)
    {
        (_peer, _connect, _handshake, _time, _logger) = (peer, connect, handshake, time, logger);
        _running = Task.Run(RunAsync);
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>Sends <paramref name="call"/> (its number is set here) and hands the answer to <paramref name="done"/>,
    /// on any thread, possibly before this returns.</summary>
    public void Send(Call call, Action<Answer?> done)
    {
        lock (_turn)
        {
            if (!_down && _pending.Count < InFlightMax && _pendingBytes < InFlightBytesMax
                && !_stopping.IsCancellationRequested)
            {
                call.Number = ++_lastNumber;
                var bytes = call.CalculateSize();
                _pending.Add(call.Number, new(done, bytes, _time.GetTimestamp()));
                _pendingBytes += bytes;
                _outbox.Writer.TryWrite((call, bytes));
                return;
            }
        }

        done(null);
    }

    /// <summary>Connects now, without a call to make.</summary>
    public void Greet()
    {
        lock (_turn)
        {
            if (_greeting || _down || _stopping.IsCancellationRequested)
                return;
            _greeting = true;
            _outbox.Writer.TryWrite(null);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _watching;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var backoff = TimeSpan.FromMilliseconds(50);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!await _outbox.Reader.WaitToReadAsync(_stopping.Token))
                    break;
                var started = _time.GetTimestamp();
                await ConnectedAsync();
                if (_time.GetElapsedTime(started) > BackoffMax)
                    backoff = TimeSpan.FromMilliseconds(50);
            }
            catch (Exception broken)
            {
                // Whatever it was, the next link may hold; without one the peer would be cut off for good.
                var peer = _peer.ShortForm;
                if (!IsOrdinary(broken))
                    LogUnforeseen(peer, broken);
                else if (!_stopping.IsCancellationRequested)
                    LogBroken(peer, broken.Message);
            }

            EndAll();
            await Task.Delay(backoff, _time, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            backoff = backoff * 2 < BackoffMax ? backoff * 2 : BackoffMax;
            lock (_turn)
                _down = _stopping.IsCancellationRequested;
        }

        EndAll();
    }

    private static bool IsOrdinary(Exception broken) =>
        broken is RpcException or IOException or HttpRequestException or OperationCanceledException
            or InvalidOperationException or MalformedException
            or ArgumentOutOfRangeException or IndexOutOfRangeException; // Protobuf's parser, of lengths near 2^31.

    /// <summary>Carries calls and answers until the stream breaks; then throws or returns.</summary>
    private async Task ConnectedAsync()
    {
        if (_connect(_peer) is not { } client)
            return;
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        lock (_turn)
            _broken = broken;
        try
        {
            await ConnectedAsync(client, broken);
        }
        finally
        {
            lock (_turn)
                _broken = null;
        }
    }

    private async Task ConnectedAsync(Wire.Replica.ReplicaClient client, CancellationTokenSource broken)
    {
        using var stream = client.Link(cancellationToken: broken.Token);
        if (await _handshake.CallAsync(_peer, stream.RequestStream, stream.ResponseStream, broken.Token)
            is not { } peer)
            return;
        var writing = WriteAsync(stream.RequestStream, broken.Token);
        var reading = ReadAsync(stream.ResponseStream, peer, broken.Token);
        await Task.WhenAny(writing, reading);
        await broken.CancelAsync();
        await Task.WhenAll(writing, reading);
    }

    private async Task WriteAsync(IClientStreamWriter<CallFrame> stream, CancellationToken cancellation)
    {
        await stream.WriteAsync(new CallFrame { DurableSeq = _handshake.DurableSeq }, cancellation);
        while (_handshake.MayServe && await _outbox.Reader.WaitToReadAsync(cancellation))
        {
            var frame = new CallFrame { DurableSeq = _handshake.DurableSeq };
            var bytes = 0;
            while (frame.Calls.Count < FrameCallsMax && bytes < FrameBytesMax && _outbox.Reader.TryRead(out var next))
            {
                if (next is not var (call, callBytes))
                    continue;
                frame.Calls.Add(call);
                bytes += callBytes;
            }

            await stream.WriteAsync(frame, cancellation);
            if (frame.Calls is [.., var last])
                lock (_turn)
                    _lastWritten = last.Number;
        }
    }

    private async Task ReadAsync(
        IAsyncStreamReader<AnswerFrame> stream, LinkPeer peer, CancellationToken cancellation)
    {
        while (await stream.MoveNext(cancellation))
        {
            var frame = stream.Current;
            if (_handshake.IsRefused(_peer, frame.Refusal) || !frame.HasDurableSeq || !peer.MaySpeak(frame.DurableSeq))
                return;
            foreach (var answer in frame.Answers)
            {
                Pending pending;
                lock (_turn)
                    if (_pending.Remove(answer.Number, out pending))
                        _pendingBytes -= pending.Bytes;
                pending.Done?.Invoke(answer);
            }
        }
    }

    /// <summary>A peer may read calls and answer none, or not even read them: neither holds them for good.</summary>
    private async Task WatchAsync()
    {
        using var ticks = new PeriodicTimer(Tick, _time);
        try
        {
            while (await ticks.WaitForNextTickAsync(_stopping.Token))
                EndOverdue();
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>Ends the calls whose answers are overdue; if one of them could not even be written, all, and the
    /// stream.</summary>
    private void EndOverdue()
    {
        Action<Answer?>[] ended;
        lock (_turn)
        {
            var overdue = _pending.Where(call => _time.GetElapsedTime(call.Value.SentAt) >= AnswerPatience).ToArray();
            if (Array.Exists(overdue, call => call.Key > _lastWritten))
            {
                ended = TakeAll();
                _down |= _broken is not null; // Until the next stream.
                _ = _broken?.CancelAsync();
            }
            else
            {
                ended = Array.ConvertAll(overdue, call => call.Value.Done);
                foreach (var (number, call) in overdue)
                    if (_pending.Remove(number))
                        _pendingBytes -= call.Bytes;
            }
        }

        foreach (var done in ended)
            done(null);
    }

    private void EndAll()
    {
        Action<Answer?>[] ended;
        lock (_turn)
        {
            (_down, _greeting) = (true, false);
            ended = TakeAll();
        }

        foreach (var done in ended)
            done(null);
    }

    private Action<Answer?>[] TakeAll()
    {
        Action<Answer?>[] all = [.. _pending.Values.Select(call => call.Done)];
        _pending.Clear();
        _pendingBytes = 0;
        while (_outbox.Reader.TryRead(out _)) { }
        return all;
    }

    private readonly record struct Pending(Action<Answer?> Done, int Bytes, long SentAt);

    [LoggerMessage(3001, LogLevel.Debug, "link to {Peer} broke: {Reason}")]
    private partial void LogBroken(string peer, string reason);

    [LoggerMessage(3002, LogLevel.Warning, "link to {Peer} broke for an unexpected reason")]
    private partial void LogUnforeseen(string peer, Exception cause);
}
