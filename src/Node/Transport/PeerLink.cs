using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Transport;

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

    /// <summary>Calls in one frame, so that one frame never grows past gRPC's 4 MiB with 72 KiB messages.</summary>
    private const int FrameCallsMax = 128;

    private const int FrameBytesMax = 1 << 20;

    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(2);

    private readonly NodeId _peer;
    private readonly Func<NodeId, Wire.Replica.ReplicaClient?> _connect;
    private readonly LinkHandshake _handshake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Call?> _outbox = Channel.CreateUnbounded<Call?>(new() { SingleReader = true });
    private readonly Lock _turn = new();
    private readonly Dictionary<ulong, Action<Answer?>> _pending = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private ulong _lastNumber;
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
    }

    /// <summary>Sends <paramref name="call"/> (its number is set here) and hands the answer to <paramref name="done"/>,
    /// on any thread, possibly before this returns.</summary>
    public void Send(Call call, Action<Answer?> done)
    {
        lock (_turn)
        {
            if (!_down && _pending.Count < InFlightMax && !_stopping.IsCancellationRequested)
            {
                call.Number = ++_lastNumber;
                _pending.Add(call.Number, done);
                _outbox.Writer.TryWrite(call);
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
                var peer = _peer.ToString()[..8];
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
            while (frame.Calls.Count < FrameCallsMax && bytes < FrameBytesMax && _outbox.Reader.TryRead(out var call))
            {
                if (call is null)
                    continue;
                frame.Calls.Add(call);
                bytes += call.CalculateSize();
            }

            await stream.WriteAsync(frame, cancellation);
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
                Action<Answer?>? done;
                lock (_turn)
                    _pending.Remove(answer.Number, out done);
                done?.Invoke(answer);
            }
        }
    }

    private void EndAll()
    {
        Action<Answer?>[] ended;
        lock (_turn)
        {
            (_down, _greeting) = (true, false);
            ended = [.. _pending.Values];
            _pending.Clear();
            while (_outbox.Reader.TryRead(out _)) { }
        }

        foreach (var done in ended)
            done(null);
    }

    [LoggerMessage(3001, LogLevel.Debug, "link to {Peer} broke: {Reason}")]
    private partial void LogBroken(string peer, string reason);

    [LoggerMessage(3002, LogLevel.Warning, "link to {Peer} broke for an unexpected reason")]
    private partial void LogUnforeseen(string peer, Exception cause);
}
