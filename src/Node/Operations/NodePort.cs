using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChordChat.Node.Operations;

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

    /// <summary>A peer's calls share one connection, but all that are many share one stream of it.</summary>
    public const int StreamsPerConnectionMax = 512;

    /// <summary>Of the plain port, which has health and nothing else.</summary>
    private static readonly DescriptorLimit HealthLimit = new(64, 64, 64);

    /// <summary>Connections that have lost their place and are being closed.</summary>
    private const int ClosingMax = 64;

    /// <summary>For who has begun a request and does not get to its end.</summary>
    private static readonly TimeSpan HeadersPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    public static void UseNodePort(
        this IWebHostBuilder host, ListenSockets sockets, ClusterTls tls, ClusterTrust trust)
    {
        host.UseKestrelCore()
            .UseSockets(transport => transport.CreateBoundListenSocket = sockets.Take)
            .ConfigureKestrel(kestrel =>
            {
                var limit = kestrel.ApplicationServices.GetRequiredService<DescriptorLimit>();
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxConcurrentConnections = limit.Connections + ClosingMax;
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
                    var resets = Make<StreamResets>(listen);
                    listen.Use(resets.Refuse);
                    listen.Use(Make<OpenConnections>(listen, limit).Limit);
                    listen.UseHttps(tls.ServerOptions());
                    CallerIdentity.Identify(listen, trust);
                    listen.Use(OpenConnections.Finished);
                    listen.Use(resets.Count);
                });
                if (sockets.Health is { } health)
                    kestrel.Listen(health, listen =>
                    {
                        listen.Protocols = HttpProtocols.Http1;
                        listen.Use(Make<OpenConnections>(listen, HealthLimit).Limit);
                        listen.Use(OpenConnections.Finished);
                    });
            });
    }

    private static T Make<T>(ListenOptions listen, params object[] more)
        where T : class => ActivatorUtilities.CreateInstance<T>(listen.ApplicationServices, [
            .. more, listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger<T>(),
        ]);
}
