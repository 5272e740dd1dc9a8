using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Sdk.Nodes;

/// <summary>An open connection to one node whose certificate is of the trusted cluster.</summary>
public sealed class NodeLink : IDisposable
{
    private const long NoError = 0, InternalError = 2, RefusedStream = 7, Cancel = 8, Calm = 11;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(4);

    private readonly NodeChannels _channels;
    private readonly ClusterTrust _trust;
    private X509Certificate2? _presented;
    private bool _refused;

    private NodeLink(string address, ClusterTrust trust)
    {
        Address = address;
        _trust = trust;
        _channels = new NodeChannels(address, Handler());
        Chat = new Chat.ChatClient(_channels.Node);
    }

    public string Address { get; }

    public Chat.ChatClient Chat { get; }

    /// <summary>What the node said about itself and its cluster when the link was opened.</summary>
    public ClusterInfo Cluster { get; private set; } = new();

    /// <summary>SHA-256 of the public key that the node proved to hold, 32 bytes; never taken from its word.</summary>
    public byte[] NodeId => SHA256.HashData(_presented!.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary><see cref="NodeId"/> in hex, to keep apart whom was asked.</summary>
    internal string Key => Convert.ToHexString(NodeId);

    /// <summary>Connects, checks or pins the cluster's authority, and asks the node for its cluster.</summary>
    /// <exception cref="ChordChatException"><c>unreachable</c>, <c>not_a_node</c>, <c>foreign_cluster</c>,
    /// <c>bad_address</c>, <c>wrong_time</c>: this machine's clock and the node's certificate do not agree, or
    /// <c>node_error</c>: what is there makes this program fail.</exception>
    public static async Task<NodeLink> OpenAsync(string address, ClusterTrust trust, CancellationToken cancellation)
    {
        NodeAddresses.Check(address);
        NodeLink? link = null;
        try
        {
            link = new NodeLink(address, trust);
            await link.IntroduceAsync(cancellation);
            return link;
        }
        catch (RpcException cause)
        {
            link?.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw link!.Explain(cause);
        }
        catch (Exception cause) when (cause is not (OperationCanceledException or ChordChatException))
        {
            link?.Dispose();
            throw link is null ? NodeAddresses.Bad(address, cause) : Failures.Unexpected(address, cause);
        }
        catch
        {
            link?.Dispose();
            throw;
        }
    }

    private async Task IntroduceAsync(CancellationToken cancellation)
    {
        Cluster = await new Chat.ChatClient(_channels.Stranger).GetClusterAsync(
            new GetClusterRequest(), deadline: DateTime.UtcNow + CallTimeout, cancellationToken: cancellation);
        if (Cluster.Cluster.Length != 16 || _presented is null)
            throw NotANode(Address, null);
        if (_trust.IsExcluded(Cluster.Authority.ToByteArray()))
            throw Excluded();
        if (!_trust.MayHaveId(Cluster.Authority.ToByteArray(), Cluster.Cluster.Span))
            throw Unbound();
        if (!_trust.Pin(Cluster.Authority.ToByteArray(), _presented))
            throw Foreign();
        Cluster.NodeName = NodeWords.NameOf(_presented, Cluster.NodeName); // Nobody is blamed under another's name.
    }

    public void Dispose() => _channels.Dispose();

    private SocketsHttpHandler Handler() => new()
    {
        ConnectTimeout = ConnectTimeout,
        // A node that dies without a word is noticed after about two seconds.
        KeepAlivePingDelay = TimeSpan.FromSeconds(1),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(1.5),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseProxy = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            // Nodes move between addresses, so their names prove nothing: the cluster's authority does.
            RemoteCertificateValidationCallback = (_, certificate, _, _) => Validate(certificate),
        },
    };

    private bool Validate(X509Certificate? certificate)
    {
        if (certificate is null)
            return false;
        // The callback's own certificate is disposed after the handshake.
        var presented = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        // A link is to one node: what its key has signed for must not be taken to another by a new connection.
        if (_presented is not null && !HaveOneKey(_presented, presented))
            return false;
        _presented = presented;
        _refused = !_trust.Accepts(presented);
        return !_refused;
    }

    private static bool HaveOneKey(X509Certificate2 one, X509Certificate2 other) =>
        one.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(other.PublicKey.ExportSubjectPublicKeyInfo());

    private ChordChatException Explain(RpcException cause)
    {
        if (_refused)
            return Foreign();
        var causes = Causes(cause).ToList();
        // Cut off in mid-handshake is what a client sees of a node that dies, whatever else the outer exceptions say.
        if (causes.Exists(IsCutOff))
            return Unreachable(cause);
        if (_presented is not null && _trust.IsPinned)
            return Unreachable(cause); // It is one, by its certificate, and is too busy or about to go.
        if (causes.Exists(SpeaksOtherwise))
            return NotANode(Address, cause);
        // Without a cause on this side the status, or what stands for one, is an answer.
        return causes.Count == 0
            && cause.StatusCode is (StatusCode.Unimplemented or StatusCode.Unknown or StatusCode.Internal)
            ? NotANode(Address, cause)
            : Unreachable(cause);
    }

    private static IEnumerable<Exception> Causes(RpcException cause)
    {
        for (var inner = cause.Status.DebugException; inner is not null; inner = inner.InnerException)
            yield return inner;
    }

    private static bool IsCutOff(Exception cause) => cause switch
    {
        HttpIOException ended => ended.HttpRequestError is HttpRequestError.ResponseEnded,
        SocketException or TimeoutException or IOException => true,
        _ => false,
    };

    /// <summary>Something answered, but not with TLS 1.3 and HTTP/2.</summary>
    private static bool SpeaksOtherwise(Exception cause) => cause switch
    {
        HttpProtocolException protocol => !IsGoodbye(protocol.ErrorCode),
        AuthenticationException => true,
        HttpRequestException request => request.HttpRequestError is HttpRequestError.VersionNegotiationError
            or HttpRequestError.InvalidResponse,
        _ => false,
    };

    /// <summary>RFC 9113, 7: what a program says that ends, or has too much to do.</summary>
    private static bool IsGoodbye(long code) => code is NoError or InternalError or RefusedStream or Cancel or Calm;

    private ChordChatException Foreign() => _presented is not null
        && _trust.WrongTime(_presented, Cluster.Authority.ToByteArray(), Address) is { } why
        ? new("wrong_time", why, "set this machine's clock; if it is right, tell the cluster's operator")
        : new(
            "foreign_cluster",
            $"{Address} shows the certificate of another cluster; this profile trusts {_trust.Fingerprint}",
            "name a node of your own cluster with --node, or use another --profile for the other cluster");

    private ChordChatException Excluded() => new(
        "foreign_cluster",
        $"the cluster at {Address} has the fingerprint {ClusterTrust.FingerprintOf(Cluster.Authority.ToByteArray())}, "
            + "not the one that was named",
        "name a node of the cluster that you mean with --node, and check --trust");

    private ChordChatException Unbound() => new(
        "unbound_cluster",
        $"the cluster at {Address} has an id that is not derived from its authority's key, so anybody could imitate it",
        "if an older program made it, ask its operator for the fingerprint and name it with --trust; otherwise do not "
        + "type a password there");

    private ChordChatException Unreachable(Exception cause) => new(
        "unreachable", $"no node answers at {Address}",
        $"check the address, or start the cluster with {StartupCommand.Of()}", cause);

    private static ChordChatException NotANode(string address, Exception? cause) => new(
        "not_a_node", $"what answers at {address} is not a ChordChat node",
        "check host and port; nodes of one machine listen at 7401, 7402, ...", cause);
}
