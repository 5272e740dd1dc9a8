using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ChordChat.Node.Admission;

/// <summary>TLS 1.3 between members, both ends proved by certificates of this cluster; clients present none.</summary>
internal sealed class ClusterTls(NodeIdentity identity)
{
    private readonly SslStreamCertificateContext _own =
        SslStreamCertificateContext.Create(identity.Certificate, null, offline: true);

    /// <summary>What a node's port speaks. Who the caller is, <see cref="CallerIdentity"/> finds out
    /// afterwards.</summary>
    public HttpsConnectionAdapterOptions ServerOptions() => new()
    {
        ServerCertificate = identity.Certificate,
        SslProtocols = SslProtocols.Tls13,
        ClientCertificateMode = ClientCertificateMode.AllowCertificate,
        // A stranger's certificate makes him a caller without one, who then hears in words that he is not a member.
        ClientCertificateValidation = static (_, _, _) => true,
        HandshakeTimeout = TimeSpan.FromSeconds(5),
        OnAuthenticate = (_, tls) => tls.ServerCertificateContext = _own,
    };

    /// <summary>A handler for calls to one peer, which presents our certificate.</summary>
    /// <param name="expected">Who must answer; null takes any node of this cluster.</param>
    public SocketsHttpHandler CreateHandler(NodeId? expected) => Handler(new SslClientAuthenticationOptions
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        ClientCertificateContext = _own,
        RemoteCertificateValidationCallback = (_, presented, _, _) =>
            presented is X509Certificate2 certificate && identity.Trust.NodeOf(certificate) is { } node
            && (expected is null || node.Node == expected),
    });

    /// <summary>A handler for commands: takes any node that <paramref name="trust"/> says is of its cluster.</summary>
    /// <param name="own">What to present, or null for nothing.</param>
    public static SocketsHttpHandler CreateHandler(ClusterTrust trust, X509Certificate2? own) =>
        Handler(new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = own is null
                ? null
                : SslStreamCertificateContext.Create(own, null, offline: true),
            RemoteCertificateValidationCallback = (_, presented, _, _) =>
                presented is X509Certificate2 certificate && trust.NodeOf(certificate) is not null,
        });

    private static SocketsHttpHandler Handler(SslClientAuthenticationOptions tls) => new()
    {
        SslOptions = tls,
        UseProxy = false,
        // With one of our own, each call connects. gRPC's refuses all calls for a second or more after an attempt that
        // failed: a node that was asked just before it came back would be called silent again.
        ConnectCallback = static (to, cancellation) => ConnectAsync(to.DnsEndPoint, cancellation),
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10),
        KeepAlivePingDelay = TimeSpan.FromSeconds(10),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        InitialHttp2StreamWindowSize = 1 << 20,
    };

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
