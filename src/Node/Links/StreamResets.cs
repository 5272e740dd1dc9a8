using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ChordChat.Node.Links;

/// <summary>Ends connections of HTTP/2 on which a client resets one call after the other: beginning a call costs this
/// node more than both frames cost the client. Safe for threads.</summary>
/// <remarks>docs/security.md, "What a call may cost". Kestrel counts only calls that are still open. Ours end with
/// their reset, so it would let this go on for ever. Counted are resets by the client (CVE-2023-44487) and resets that
/// the client's protocol errors force on Kestrel (CVE-2025-8671).</remarks>
internal sealed partial class StreamResets(MemberAddresses members, TimeProvider time, ILogger logger)
{
    /// <summary>Of one connection in a minute.</summary>
    public const int ResetsMax = 100;

    /// <summary>Of one address (of IPv6: a /64) in a minute, before it has to wait.</summary>
    public const int ConnectionsMax = 10;

    private const int PrefaceBytes = 24;

    // RFC 9113, section 7.
    private const uint ProtocolError = 1;
    private const uint FlowControlError = 3;
    private const uint StreamClosed = 5;
    private const uint FrameSizeError = 6;

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
        connection.Transport = new Pipes(
            new FrameReader(transport.Input, new(PrefaceBytes, _ => Reset())),
            new FrameWriter(transport.Output, new(0, Answer)));
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }

        // Only for faults: a call that ends before its body, or finds no room, is reset without any.
        void Answer(uint code)
        {
            if (code is ProtocolError or FlowControlError or StreamClosed or FrameSizeError)
                Reset();
        }

        void Reset()
        {
            lock (transport) // Both directions are counted.
            {
                if (Now - since > 60_000)
                    (resets, since) = (0, Now);
                if (++resets != ResetsMax + 1)
                    return;
            }

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
        "a connection from {Address} was ended: within a minute it reset, or made this node reset, more than {Most} "
        + "calls ({More} more connections were ended since the last line)")]
    private partial void LogReset(IPAddress address, int most, long more);

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
