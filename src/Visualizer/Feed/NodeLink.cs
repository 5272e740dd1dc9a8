using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Visualizer.Trust;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Visualizer.Feed;

/// <summary>A connection to one node that has shown that it is of the cluster.</summary>
internal sealed class NodeLink : IDisposable
{
    private readonly NodeChannels _channels;
    private readonly X509Certificate2? _own;
    private X509Certificate2? _certificate;

    private NodeLink(string address, X509Certificate2? own)
    {
        Address = address;
        _own = own;
        _channels = new NodeChannels(address, new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                // Kept for the judgement that follows the handshake: only then is the authority known.
                RemoteCertificateValidationCallback = (_, certificate, _, _) => Keep(certificate),
                ClientCertificateContext = own is null
                    ? null
                    : SslStreamCertificateContext.Create(own, null, offline: true),
            },
        });
        View = new View.ViewClient(_channels.Node);
        Chat = new Chat.ChatClient(_channels.Stranger);
    }

    public string Address { get; }

    /// <summary>The name in the node's certificate: n1, n2, ...</summary>
    public string Name { get; private set; } = "";

    public View.ViewClient View { get; }

    private Chat.ChatClient Chat { get; }

    /// <summary>Connects and asks the node who it is.</summary>
    /// <returns>Null when nobody answers there in time, or what answers is no node.</returns>
    /// <exception cref="StrangeClusterException">A node answers that is of another cluster.</exception>
    public static async Task<NodeLink?> TryConnectAsync(
        string address, AuthorityPin pin, TimeSpan patience, CancellationToken cancellation)
    {
        var link = new NodeLink(address, ViewerCertificate.Read(pin.Viewer));
        try
        {
            var info = await link.Chat.GetClusterAsync(
                new GetClusterRequest(), deadline: DateTime.UtcNow + patience, cancellationToken: cancellation);
            if (link._certificate is null || !pin.Accepts(link._certificate, info.Authority.ToByteArray()))
                throw new StrangeClusterException(link._certificate is null
                    ? AuthorityPin.OfAnotherCluster(address)
                    : pin.Objection(link._certificate, info.Authority.ToByteArray(), address));
            link.Name = NodeWords.NameOf(link._certificate, info.NodeName);
            return link;
        }
        catch (Exception cause) when (cause is RpcException or OperationCanceledException or CryptographicException)
        {
            link.Dispose();
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Whether the node still answers.</summary>
    public async Task<bool> AnswersAsync(TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            await Chat.GetClusterAsync(
                new GetClusterRequest(), deadline: DateTime.UtcNow + patience, cancellationToken: cancellation);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _channels.Dispose();
        _certificate?.Dispose();
        _own?.Dispose();
    }

    /// <remarks>A later connection of the same channel must show the certificate that was judged.</remarks>
    private bool Keep(X509Certificate? certificate)
    {
        if (certificate is null)
            return false;
        _certificate ??= new X509Certificate2(certificate);
        return certificate.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawData);
    }
}
