using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ChordChat.Node.Links;

/// <summary>Finds the frames that reset a call in one direction of a connection of HTTP/2. RFC 9113, sections 4.1 and
/// 6.4.</summary>
/// <param name="skipped">Bytes before the first frame.</param>
/// <param name="reset">Is told the error code of each.</param>
internal sealed class FrameHeads(int skipped, Action<uint> reset)
{
    private const int HeadBytes = 9;
    private const int CodeBytes = 4;
    private const byte ResetFrame = 3;

    private readonly byte[] _head = new byte[HeadBytes + CodeBytes];
    private int _headBytes;
    private int _skipped = skipped;

    public void LookAt(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var passed = Math.Min(_skipped, bytes.Length);
            _skipped -= passed;
            bytes = bytes[passed..];
            var wanted = _headBytes < HeadBytes ? HeadBytes : HeadBytes + CodeBytes;
            var taken = Math.Min(wanted - _headBytes, bytes.Length);
            bytes[..taken].CopyTo(_head.AsSpan(_headBytes));
            _headBytes += taken;
            bytes = bytes[taken..];
            if (_headBytes < wanted)
                return;
            var length = (_head[0] << 16) | (_head[1] << 8) | _head[2];
            if (wanted == HeadBytes && _head[3] == ResetFrame && length == CodeBytes)
                continue; // Its code comes next.
            _skipped = wanted == HeadBytes ? length : 0;
            _headBytes = 0;
            if (wanted > HeadBytes)
                reset(BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(HeadBytes)));
        }
    }
}

/// <summary>Passes on what a client sends, and looks at its frames.</summary>
internal sealed class FrameReader(PipeReader inner, FrameHeads heads) : PipeReader
{
    private ReadOnlySequence<byte> _read;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // Each read of each connection passes here.
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(cancellationToken);
        _read = read.Buffer;
        return read;
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        _read = result.Buffer;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        foreach (var part in _read.Slice(0, consumed))
            heads.LookAt(part.Span);
        _read = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);
}

/// <summary>Passes on what this node sends, and looks at its frames.</summary>
internal sealed class FrameWriter(PipeWriter inner, FrameHeads heads) : PipeWriter
{
    private Memory<byte> _next;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _next = inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        heads.LookAt(_next.Span[..bytes]);
        _next = _next[bytes..];
        inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        inner.FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        _next = default;
        inner.Complete(exception);
    }
}
