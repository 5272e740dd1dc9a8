using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using ChordChat.Core.Chat;
using ChordChat.Node.Admission;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ChordChat.Node.Hosting;

/// <summary>Ends connections of HTTP/2 on which a client resets one call after the other: beginning a call costs this
/// node more than both frames cost the client. Safe for threads.</summary>
/// <remarks>docs/security.md, "What a call may cost". Kestrel counts only calls that are still open here, and ours end
/// with their reset, so that it would let this go on for ever (CVE-2023-44487).</remarks>
internal sealed partial class StreamResets(MemberAddresses members, TimeProvider time, ILogger logger)
{
    /// <summary>Of one connection in a minute.</summary>
    public const int ResetsMax = 100;

    /// <summary>Of one address (of IPv6: a /64) in a minute, before it has to wait.</summary>
    public const int ConnectionsMax = 10;

    private readonly Lock _turn = new();
    private readonly AddressThrottle _addresses = new(ConnectionsMax);
    private readonly LineBudget _lines = new(1);

    private long Now => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Before TLS: turns away addresses that have done it again and again.</summary>
    public ConnectionDelegate Refuse(ConnectionDelegate next) => connection =>
    {
        if (AddressOf(connection) is not { } address || members.Contains(address))
            return next(connection);
        lock (_turn)
            if (_addresses.Wait(HolderOf(address), Now) > TimeSpan.Zero)
                return Task.CompletedTask; // Returning closes it.
        return next(connection);
    };

    /// <summary>After TLS. Members are not counted.</summary>
    public ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        if (connection.Features.Get<CallerIdentity>()?.Node is not null
            || connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span
                .SequenceEqual(SslApplicationProtocol.Http2.Protocol.Span) != true)
        {
            await next(connection);
            return;
        }

        var transport = connection.Transport;
        var resets = 0;
        var since = Now;
        connection.Transport = new Pipes(new FrameReader(transport.Input, Reset), transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }

        void Reset()
        {
            if (Now - since > 60_000)
                (resets, since) = (0, Now);
            if (++resets == ResetsMax + 1)
                End(connection);
        }
    };

    private void End(ConnectionContext connection)
    {
        var address = AddressOf(connection) ?? IPAddress.None;
        lock (_turn)
            _addresses.Failed(HolderOf(address), Now);
        if (_lines.Allows(Environment.TickCount64, out var more))
            LogReset(address, ResetsMax, more);
        connection.Abort(new ConnectionAbortedException("too many calls were reset"));
    }

    private static IPAddress? AddressOf(ConnectionContext connection) =>
        (connection.RemoteEndPoint as IPEndPoint)?.Address;

    private static string HolderOf(IPAddress address) => AddressBlock.Holder(address).ToString();

    [LoggerMessage(7024, LogLevel.Warning,
        "a connection from {Address} was ended: it reset more than {Most} calls within a minute ({More} more were "
        + "ended since the last line)")]
    private partial void LogReset(IPAddress address, int most, long more);

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Passes bytes on and looks at the heads of the frames that they are made of. RFC 9113, section 4.1.
    /// </summary>
    private sealed class FrameReader(PipeReader inner, Action reset) : PipeReader
    {
        private const int PrefaceBytes = 24;
        private const int HeadBytes = 9;
        private const byte ResetFrame = 3;

        private readonly byte[] _head = new byte[HeadBytes];
        private ReadOnlySequence<byte> _read;
        private int _headBytes;
        private int _skipped = PrefaceBytes;

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
                LookAt(part.Span);
            _read = default;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private void LookAt(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var passed = Math.Min(_skipped, bytes.Length);
                _skipped -= passed;
                bytes = bytes[passed..];
                var taken = Math.Min(HeadBytes - _headBytes, bytes.Length);
                bytes[..taken].CopyTo(_head.AsSpan(_headBytes));
                _headBytes += taken;
                bytes = bytes[taken..];
                if (_headBytes < HeadBytes)
                    return;
                _headBytes = 0;
                _skipped = (_head[0] << 16) | (_head[1] << 8) | _head[2];
                if (_head[3] == ResetFrame)
                    reset();
            }
        }
    }
}
