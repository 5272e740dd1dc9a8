using ChordChat.Node.Admission;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChordChat.Node.Hosting;

/// <summary>The one TLS port: gRPC and health on it, limits that keep thousands of idle clients cheap.</summary>
internal static class NodePort
{
    /// <summary>Of calls that are no streams; a keyring is the largest thing in one.</summary>
    private const int RequestBytesMax = 4 << 20;

    /// <summary>What a connection may have sent and this node not read.</summary>
    public const int BufferBytesMax = 1 << 20;

    /// <summary>Of one stream. Kestrel gives a window back by halves, so that of a connection may lack one: what is
    /// left has to hold this and more, or a stream that is not read would stop all others beside it.</summary>
    private const int StreamWindowBytes = 384 << 10;

    /// <summary>What waits for a client that reads slowly, below the session's own bound.</summary>
    private const int ResponseBufferBytesMax = 64 << 10;

    public const int StreamsPerConnectionMax = 4_096; // A peer's calls all share one connection.

    /// <summary>For who has begun a request and does not get to its end.</summary>
    private static readonly TimeSpan HeadersPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    public static void UseNodePort(
        this IWebHostBuilder host, ListenSockets sockets, ClusterTls tls, ClusterTrust trust)
    {
        var limit = DescriptorLimit.OfThisProcess();
        host.UseKestrelCore()
            .UseSockets(transport => transport.CreateBoundListenSocket = sockets.Take)
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxConcurrentConnections = limit.Connections;
                kestrel.Limits.RequestHeadersTimeout = HeadersPatience;
                kestrel.Limits.MaxRequestBodySize = RequestBytesMax;
                kestrel.Limits.MaxRequestBufferSize = BufferBytesMax;
                kestrel.Limits.MaxResponseBufferSize = ResponseBufferBytesMax;
                kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
                kestrel.Limits.Http2.InitialConnectionWindowSize = BufferBytesMax;
                kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
                kestrel.Limits.Http2.KeepAlivePingDelay = PingDelay; // A vanished client is noticed within 30 s.
                kestrel.Limits.Http2.KeepAlivePingTimeout = PingTimeout;
                kestrel.Listen(sockets.Node, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    var log = listen.ApplicationServices.GetRequiredService<ILoggerFactory>();
                    listen.Use(new OpenConnections(limit, log.CreateLogger<OpenConnections>()).Limit);
                    listen.UseHttps(tls.ServerOptions());
                    listen.Use(OpenConnections.Finished);
                    CallerIdentity.Identify(listen, trust);
                });
                if (sockets.Health is { } health)
                    kestrel.Listen(health, listen => listen.Protocols = HttpProtocols.Http1);
            });
    }
}
