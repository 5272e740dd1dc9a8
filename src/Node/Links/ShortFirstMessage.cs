using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace ChordChat.Node.Links;

/// <summary>The body of a session's stream, whose first message has to be short: who has not said yet who they are gets
/// no room for a whole frame.</summary>
/// <remarks>docs/security.md, "What a call may cost". gRPC waits for all of a message before it looks at it.</remarks>
internal sealed class ShortFirstMessage(PipeReader inner) : PipeReader, IRequestBodyPipeFeature
{
    /// <summary>A hello has about 200.</summary>
    public const int BytesMax = 4 << 10;

    private bool _isJudged;

    public PipeReader Reader => this;

    /// <exception cref="RpcException">The first message is too long.</exception>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _isJudged ? inner.ReadAsync(cancellationToken) : JudgeAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        result = Judged(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private async ValueTask<ReadResult> JudgeAsync(CancellationToken cancellation) =>
        Judged(await inner.ReadAsync(cancellation));

    /// <summary>Nothing is taken before the head is here, so it is at the beginning.</summary>
    private ReadResult Judged(ReadResult read)
    {
        if (_isJudged || WholeBodies.LengthIn(read.Buffer) is not (>= 0 and var length))
            return read;
        if (length > BytesMax)
        {
            inner.AdvanceTo(read.Buffer.Start);
            throw CallFaults.CallTooLarge(BytesMax);
        }

        _isJudged = true;
        return read;
    }
}
