using System.Threading.Channels;
using ChordChat.Node.Admission;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Answers the calls that other nodes make over their link, in the order in which they are done.</summary>
internal sealed class LinkService(CallHandler handler) : Wire.Replica.ReplicaBase
{
    /// <summary>Calls of one peer that may be unanswered before no more of them are read.</summary>
    private const int UnansweredMax = 8_192;

    private const int FrameAnswersMax = 128;

    private const int FrameBytesMax = 1 << 20;

    public override async Task Link(
        IAsyncStreamReader<CallFrame> calls, IServerStreamWriter<AnswerFrame> answers, ServerCallContext context)
    {
        var from = context.GetPeerNodeId();
        var outbox = Channel.CreateUnbounded<Answer>(new() { SingleReader = true });
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var window = new Window(UnansweredMax);
        var writing = WriteAsync(outbox.Reader, answers, window, broken.Token);
        try
        {
            while (await calls.MoveNext(broken.Token))
            {
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
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
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

    private static async Task WriteAsync(
        ChannelReader<Answer> outbox, IServerStreamWriter<AnswerFrame> answers, Window window, CancellationToken broken)
    {
        try
        {
            while (await outbox.WaitToReadAsync(broken))
            {
                var frame = new AnswerFrame();
                var bytes = 0;
                while (frame.Answers.Count < FrameAnswersMax && bytes < FrameBytesMax && outbox.TryRead(out var answer))
                {
                    frame.Answers.Add(answer);
                    bytes += answer.CalculateSize();
                }

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
