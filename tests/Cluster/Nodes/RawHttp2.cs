using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>A client of HTTP/2 that keeps to no limit that its server asks for. RFC 9113, RFC 7541.</summary>
internal sealed class RawHttp2 : IAsyncDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    private const byte WindowUpdate = 8;
    private const byte Ping = 6;

    private readonly TcpClient _tcp;
    private readonly SslStream _tls;
    private readonly SemaphoreSlim _turn = new(1);

    private RawHttp2(TcpClient tcp, SslStream tls) => (_tcp, _tls) = (tcp, tls);

    /// <param name="from">The own address; any of 127.0.0.0/8.</param>
    /// <param name="window">Bytes that an answer may have before this end says more; null for 65,535.</param>
    public static async Task<RawHttp2> ConnectAsync(
        string host, int port, string from = "127.0.0.1", int? window = null)
    {
        var tcp = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await tcp.ConnectAsync(host, port);
        var tls = new SslStream(tcp.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
        });
        var client = new RawHttp2(tcp, tls);
        await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await client.WriteAsync(Settings, 0, 0, window is { } bytes
            ? [0, 4, (byte)(bytes >> 24), (byte)(bytes >> 16), (byte)(bytes >> 8), (byte)bytes]
            : []);
        await client.WriteAsync(WindowUpdate, 0, 0, [0x3f, 0, 0, 0]); // The answers shall never wait for this end.
        return client;
    }

    /// <summary>Begins a POST whose body is to follow.</summary>
    /// <param name="stream">Odd, larger than any before.</param>
    public Task PostAsync(int stream, string path) => WriteAsync(Headers, 4, stream, [
        .. Literal(":method", "POST"), .. Literal(":scheme", "https"), .. Literal(":path", path),
        .. Literal(":authority", "localhost"), .. Literal("content-type", "application/grpc"),
        .. Literal("te", "trailers"),
    ]);

    /// <summary>The whole body of a call.</summary>
    public Task EndAsync(int stream, byte[] body) => WriteAsync(Data, 1, stream, body);

    /// <summary>A part of a call's body.</summary>
    public Task DataAsync(int stream, byte[] body) => WriteAsync(Data, 0, stream, body);

    /// <summary>Takes back a call that has begun.</summary>
    public Task ResetAsync(int stream) => WriteAsync(Reset, 0, stream, [0, 0, 0, 8]);

    /// <summary>Makes a call's window larger than one may be.</summary>
    public Task OverflowAsync(int stream) => WriteAsync(WindowUpdate, 0, stream, [0x7f, 0xff, 0xff, 0xff]);

    /// <summary>The next frame; answers what must be answered.</summary>
    public async Task<(byte Kind, int Stream, byte[] Body)> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var head = new byte[9];
            await _tls.ReadExactlyAsync(head, cancellation);
            var body = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await _tls.ReadExactlyAsync(body, cancellation);
            var isAnswer = (head[4] & 1) != 0;
            if (head[3] is Settings or Ping && !isAnswer)
                await WriteAsync(head[3], 1, 0, head[3] == Ping ? body : []);
            if (head[3] != Ping)
                return (head[3], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), body);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _tls.DisposeAsync();
        _tcp.Dispose();
        _turn.Dispose();
    }

    private async Task WriteAsync(byte kind, byte flags, int stream, byte[] body)
    {
        var frame = new byte[9 + body.Length];
        (frame[0], frame[1], frame[2]) = ((byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length);
        (frame[3], frame[4]) = (kind, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        body.CopyTo(frame, 9);
        await _turn.WaitAsync();
        try
        {
            await _tls.WriteAsync(frame);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A header that no table knows and none shall learn.</summary>
    private static byte[] Literal(string name, string value) =>
        [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];
}
