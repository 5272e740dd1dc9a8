using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ChordChat.Node.Identity;

/// <summary>TLS 1.3 between members, both ends proved by certificates of this cluster; clients present none.</summary>
internal sealed class ClusterTls(NodeIdentity identity)
{
    private volatile Identity _own = Identity.Of(identity.Certificate);

    /// <summary>What this node shows now.</summary>
    public X509Certificate2 Certificate => _own.Certificate;

    /// <summary>Connections from now on show this one.</summary>
    public void Renew(X509Certificate2 certificate) => _own = Identity.Of(certificate);

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
        OnAuthenticate = (_, tls) => tls.ServerCertificateContext = _own.Context,
    };

    /// <summary>A handler for calls to one peer, which presents our certificate.</summary>
    /// <param name="expected">Who must answer; null takes any node of this cluster.</param>
    /// <param name="shown">Told what the certificate of each node that was taken says.</param>
    public SocketsHttpHandler CreateHandler(NodeId? expected, Action<NodeCertificate>? shown = null) =>
        Handler(new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = _own.Context,
            RemoteCertificateValidationCallback = (_, presented, _, _) =>
            {
                if (IsNode(identity.Trust, presented) is not { } node
                    || (expected is not null && node.Node != expected))
                    return false;
                shown?.Invoke(node);
                return true;
            },
        });

    /// <summary>A handler for commands: takes any node that <paramref name="trust"/> says is of its cluster.</summary>
    /// <param name="own">What to present, or null for nothing.</param>
    /// <param name="mayBe">Says whether a node of the cluster that answers is taken; null takes all.</param>
    public static SocketsHttpHandler CreateHandler(
        ClusterTrust trust, X509Certificate2? own, Func<NodeCertificate, bool>? mayBe = null) =>
        Handler(new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = own is null
                ? null
                : SslStreamCertificateContext.Create(own, null, offline: true),
            RemoteCertificateValidationCallback = (_, presented, _, _) =>
                IsNode(trust, presented) is { } node && (mayBe is null || mayBe(node)),
        });

    private sealed record Identity(X509Certificate2 Certificate, SslStreamCertificateContext Context)
    {
        public static Identity Of(X509Certificate2 certificate) =>
            new(certificate, SslStreamCertificateContext.Create(certificate, null, offline: true));
    }

    /// <exception cref="AuthenticationException">It was one, and why it is none now; whoever called reads it as the
    /// cause.</exception>
    private static NodeCertificate? IsNode(ClusterTrust trust, X509Certificate? presented)
    {
        if (presented is not X509Certificate2 certificate)
            return null;
        if (trust.NodeOf(certificate) is { } node)
            return node;
        return trust.Objection(certificate, "that node's", DateTimeOffset.UtcNow) is { } why
            ? throw new AuthenticationException(why)
            : null;
    }

    private static SocketsHttpHandler Handler(SslClientAuthenticationOptions tls) => new()
    {
        SslOptions = tls,
        UseProxy = false,
        AllowAutoRedirect = false, // The node that answers is the one that was asked.
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
