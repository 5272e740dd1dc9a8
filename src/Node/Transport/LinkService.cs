using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Answers the calls that other nodes make over their link, in the order in which they are done.</summary>
internal sealed class LinkService(CallHandler handler, LinkHandshake handshake) : Wire.Replica.ReplicaBase
{
    /// <summary>Calls of one peer that may be unanswered before no more of them are read.</summary>
    public const int UnansweredMax = 8_192;

    private const int FrameAnswersMax = 128;

    private const int FrameBytesMax = 1 << 20;

    public override async Task Link(
        IAsyncStreamReader<CallFrame> calls, IServerStreamWriter<AnswerFrame> answers, ServerCallContext context)
    {
        var from = context.GetPeerNodeId();
        var outbox = Channel.CreateUnbounded<Answer>(new() { SingleReader = true });
        if (await GreetAsync(from, calls, answers, context.CancellationToken) is not { } peer)
            return;
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var window = new Window(UnansweredMax);
        var writing = WriteAsync(outbox.Reader, answers, window, broken.Token);
        try
        {
            while (await calls.MoveNext(broken.Token))
            {
                if (!await MayHandleAsync(from, calls.Current, peer, broken.Token))
                    break;
                foreach (var call in calls.Current.Calls)
                {
                    window.Took();
                    var number = call.Number;
                    handler.Handle(from, call, answer =>
                    {
                        answer.Number = number;
                        outbox.Writer.TryWrite(answer);
                    });
                }

                await window.WaitAsync(broken.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or MalformedException)
        {
            // The peer went away; whatever it asked and heard no answer to, it asks again.
        }
        finally
        {
            outbox.Writer.TryComplete();
            await broken.CancelAsync();
            await writing;
        }
    }

    private async Task<LinkPeer?> GreetAsync(
        NodeId from,
        IAsyncStreamReader<CallFrame> calls,
        IServerStreamWriter<AnswerFrame> answers,
        CancellationToken cancellation)
    {
        try
        {
            return await handshake.AnswerAsync(from, calls, answers, cancellation);
        }
        catch (Exception ended) when (cancellation.IsCancellationRequested
            && ended is OperationCanceledException or IOException)
        {
            return null;
        }
        catch (IOException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
        catch (MalformedException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }

    /// <summary>Not before this node serves, and only from the start of the peer that serves.</summary>
    private async ValueTask<bool> MayHandleAsync(
        NodeId from, CallFrame frame, LinkPeer peer, CancellationToken cancellation)
    {
        if (handshake.IsRefused(from, frame.Refusal) || !frame.HasDurableSeq || !peer.MaySpeak(frame.DurableSeq))
            return false;
        if (!handshake.MayServe)
            await handshake.MayServeAsync(cancellation);
        return handshake.MayServe;
    }

    private async Task WriteAsync(
        ChannelReader<Answer> outbox, IServerStreamWriter<AnswerFrame> answers, Window window, CancellationToken broken)
    {
        try
        {
            await handshake.MayServeAsync(broken);
            await answers.WriteAsync(new AnswerFrame { DurableSeq = handshake.DurableSeq }, broken);
            while (await outbox.WaitToReadAsync(broken))
            {
                var frame = new AnswerFrame();
                var bytes = 0;
                while (frame.Answers.Count < FrameAnswersMax && bytes < FrameBytesMax && outbox.TryRead(out var answer))
                {
                    frame.Answers.Add(answer);
                    bytes += answer.CalculateSize();
                }

                frame.DurableSeq = handshake.DurableSeq; // After the answers: each rests on a commit before it.
                await answers.WriteAsync(frame, broken);
                window.Gave(frame.Answers.Count);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The stream is gone; the reading side ends the call.
        }
    }

    /// <summary>Counts calls that were read and not yet answered, and holds the reader back past the limit.</summary>
    private sealed class Window(int limit)
    {
        private readonly Lock _turn = new();
        private int _open;
        private TaskCompletionSource? _room;

        public void Took() => Interlocked.Increment(ref _open);

        public void Gave(int count)
        {
            lock (_turn)
            {
                if (Interlocked.Add(ref _open, -count) < limit)
                    _room?.TrySetResult();
            }
        }

        public ValueTask WaitAsync(CancellationToken cancellation)
        {
            if (Volatile.Read(ref _open) < limit)
                return ValueTask.CompletedTask;
            lock (_turn)
            {
                if (_open < limit)
                    return ValueTask.CompletedTask;
                _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return new(_room.Task.WaitAsync(cancellation));
            }
        }
    }
}
