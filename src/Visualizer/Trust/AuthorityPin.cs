using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace ChordChat.Visualizer.Trust;

/// <summary>Whose nodes are believed: the authority given, or the first one met, until this program ends.</summary>
/// <remarks>
/// Reading needs no secret, so there is nothing to steal by standing between; the pin keeps one page from ever mixing
/// two clusters, and a stranger from slipping into a page that is already looking at a ring.
/// </remarks>
internal sealed partial class AuthorityPin(byte[]? given)
{
    private const string AlternativeNames = "2.5.29.17";

    private byte[]? _authority = given;

    /// <summary>The folder of the certificate to look with; null to look as anybody.</summary>
    public string? Viewer { get; init; }

    /// <summary>The certificate of the authority, DER; null before the first node has answered.</summary>
    public byte[]? Authority => Volatile.Read(ref _authority);

    /// <summary>Whether to believe a node with this certificate that names this authority as its cluster's.</summary>
    /// <remarks>Pins the authority when it is the first one.</remarks>
    public bool Accepts(X509Certificate2 certificate, byte[] authority)
    {
        if (!IsIssued(certificate, authority) || IsOfNoNode(certificate))
            return false;
        var pinned = Interlocked.CompareExchange(ref _authority, authority, null) ?? authority;
        return pinned.AsSpan().SequenceEqual(authority);
    }

    /// <summary>Why a node is not believed.</summary>
    public string Objection(X509Certificate2 certificate, byte[] named, string address)
    {
        using var root = X509CertificateLoader.LoadCertificate(Authority ?? named);
        using var chain = ChainTo(root);
        if (IsOfNoNode(certificate))
            return $"What answers at {address} has the certificate of a page or an operator, not of a node.";
        if (chain.Build(certificate)
            || chain.ChainStatus.Any(status => status.Status != X509ChainStatusFlags.NotTimeValid))
            return OfAnotherCluster(address);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"This machine's clock says {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, but the certificate of the node at "
            + $"{address} is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to "
            + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC. Set the clock; if it is right, the "
            + $"operator must renew the certificate.");
    }

    public static string OfAnotherCluster(string address) =>
        $"A node of another cluster answers at {address}. Restart the visualizer to look at that one.";

    /// <summary>Whether the authority signed this certificate and it is valid now, whatever its host name.</summary>
    /// <remarks>Nodes move between addresses; what makes a node is its key.</remarks>
    public static bool IsIssued(X509Certificate2 certificate, byte[] authority)
    {
        using var root = X509CertificateLoader.LoadCertificate(authority);
        using var chain = ChainTo(root);
        return chain.Build(certificate);
    }

    /// <summary>The authority signs those of pages and operators, too: they are no nodes, and what they say of a ring
    /// is made up.</summary>
    private static bool IsOfNoNode(X509Certificate2 certificate) =>
        certificate.Extensions[AlternativeNames] is { } names
        && OtherRole().IsMatch(Encoding.Latin1.GetString(names.RawData));

    [GeneratedRegex("chordchat://[0-9a-f]{32}/(viewer|operator)")]
    private static partial Regex OtherRole();

    private static X509Chain ChainTo(X509Certificate2 root)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain;
    }
}
