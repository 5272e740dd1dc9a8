using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>Answers the calls that other nodes make over their link, in the order in which they are done.</summary>
internal sealed class LinkService(CallAnswerer answerCall, LinkHandshake handshake, OpenLinks links)
    : Wire.Replica.ReplicaBase
{
    /// <summary>Calls of one peer that may be unanswered before no more of them are read.</summary>
    public const int UnansweredMax = 8_192;

    /// <summary>Of a link's calls without an answer, and of answers that it has not taken, before no more of its calls
    /// are read.</summary>
    public const long AnswerBytesMax = 16L << 20;

    private const int FrameAnswersMax = 128;

    private const int FrameBytesMax = 1 << 20;

    public override async Task Link(
        IAsyncStreamReader<CallFrame> calls, IServerStreamWriter<AnswerFrame> answers, ServerCallContext context)
    {
        var from = context.GetPeerNodeId();
        using var place = links.Enter(from);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, place.Ended);
        if (await GreetAsync(from, calls, answers, broken.Token) is { } peer)
            await ServeAsync(from, peer, calls, answers, broken);
        if (place.Ended.IsCancellationRequested)
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"a node has at most {OpenLinks.PerNodeMax} links here; the oldest ends"));
    }

    private async Task ServeAsync(
        NodeId from,
        LinkPeer peer,
        IAsyncStreamReader<CallFrame> calls,
        IServerStreamWriter<AnswerFrame> answers,
        CancellationTokenSource broken)
    {
        var outbox = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
        var window = new AnswerWindow(UnansweredMax, AnswerBytesMax);
        var writing = WriteAsync(outbox.Reader, answers, window, broken.Token);
        try
        {
            while (await calls.MoveNext(broken.Token))
            {
                if (!await MayHandleAsync(from, calls.Current, peer, broken.Token))
                    break;
                foreach (var call in calls.Current.Calls)
                {
                    await window.WaitAsync(broken.Token);
                    var room = AnswerWindow.RoomFor(call);
                    window.Took(room);
                    var number = call.Number;
                    answerCall(from, call, answer =>
                    {
                        answer.Number = number;
                        var waiting = new Waiting(answer, answer.CalculateSize());
                        window.Answered(room, waiting.Bytes);
                        outbox.Writer.TryWrite(waiting);
                    });
                }
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
        ChannelReader<Waiting> outbox,
        IServerStreamWriter<AnswerFrame> answers,
        AnswerWindow window,
        CancellationToken broken)
    {
        try
        {
            await handshake.MayServeAsync(broken);
            await answers.WriteAsync(new AnswerFrame { DurableSeq = handshake.DurableSeq }, broken);
            while (await outbox.WaitToReadAsync(broken))
            {
                var frame = new AnswerFrame();
                var bytes = 0;
                while (frame.Answers.Count < FrameAnswersMax && bytes < FrameBytesMax && outbox.TryRead(out var next))
                {
                    frame.Answers.Add(next.Answer);
                    bytes += next.Bytes;
                }

                frame.DurableSeq = handshake.DurableSeq; // After the answers: each rests on a commit before it.
                await answers.WriteAsync(frame, broken);
                window.Gave(frame.Answers.Count, bytes);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The stream is gone; the reading side ends the call.
        }
    }

    private readonly record struct Waiting(Answer Answer, int Bytes);
}
