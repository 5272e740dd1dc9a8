using ChordChat.Node.Admission;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChordChat.Node.Hosting;

/// <summary>The one TLS port: gRPC and health on it, limits that keep thousands of idle clients cheap.</summary>
internal static class NodePort
{
    private const int ConnectionsMax = 20_000;
    private const int StreamsPerConnectionMax = 4_096; // A peer's calls all share one connection.
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    public static void UseNodePort(
        this IWebHostBuilder host, ListenSockets sockets, ClusterTls tls, ClusterTrust trust) => host
        .UseKestrelCore()
        .UseSockets(transport => transport.CreateBoundListenSocket = sockets.Take)
        .ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
            kestrel.Limits.Http2.KeepAlivePingDelay = PingDelay; // A vanished client is noticed within 30 s.
            kestrel.Limits.Http2.KeepAlivePingTimeout = PingTimeout;
            kestrel.Listen(sockets.Node, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(tls.ServerOptions());
                CallerIdentity.Identify(listen, trust);
            });
            if (sockets.Health is { } health)
                kestrel.Listen(health, listen => listen.Protocols = HttpProtocols.Http1);
        });
}
