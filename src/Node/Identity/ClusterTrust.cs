using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;

namespace ChordChat.Node.Identity;

/// <summary>The one root that this cluster's members trust: its own authority. The system's roots mean nothing
/// here.</summary>
/// <param name="authority">The root.</param>
/// <param name="denied">Whom the operator has denied until now; null: nobody, as far as is known here.</param>
internal sealed class ClusterTrust(X509Certificate2 authority, DenyList? denied = null)
{
    public X509Certificate2 Authority => authority;

    /// <summary>SHA-256 of the authority's certificate: what tokens carry and clients pin.</summary>
    public byte[] Fingerprint { get; } = SHA256.HashData(authority.RawData);

    private string Cluster { get; } = CertificateName.Of(authority)?.Cluster ?? "";

    private DenyList? _denied = denied;

    /// <summary>Whom the operator has denied; null: nobody.</summary>
    public DenyList? Denied => Volatile.Read(ref _denied);

    /// <summary>From now on; see <see cref="Denials.Take"/>.</summary>
    public void Deny(DenyList list) => Volatile.Write(ref _denied, list);

    /// <summary>Why this certificate is no longer good, or null.</summary>
    public Denial? DenialOf(X509Certificate2 certificate)
    {
        if (Denied is not { } list)
            return null;
        if (CertificateName.Of(certificate)?.Role == CertificateName.Viewer)
            return list.OfViewer(certificate);
        return NodeCertificate.Read(certificate) is { } node ? list.Of(node.Node) : null;
    }

    /// <summary>Whether the authority issued this certificate and it is valid now.</summary>
    public bool Issued(X509Certificate2 certificate) =>
        Judge(certificate, DateTimeOffset.UtcNow) is IssueVerdict.Issued;

    /// <summary>Whether the authority issued it, and whether it is valid at a moment.</summary>
    public IssueVerdict Judge(X509Certificate2 certificate, DateTimeOffset now) =>
        CertificateName.Of(certificate)?.Cluster == Cluster
            ? CertificateTimes.Judge(certificate, authority, now)
            : IssueVerdict.Foreign;

    /// <summary>For whoever is refused because of it, when the certificate is this cluster's: that it was revoked, or
    /// that it and this machine's clock do not agree. Null otherwise.</summary>
    public string? Objection(X509Certificate2 certificate, string whose, DateTimeOffset now) =>
        Judge(certificate, now) switch
        {
            IssueVerdict.Foreign => null,
            IssueVerdict.Issued => DenialOf(certificate)?.InWords(whose),
            var verdict => CertificateTimes.InWords(verdict, certificate, authority, whose, now),
        };

    /// <summary>The node this certificate proves, or null when it proves none of this cluster.</summary>
    public NodeCertificate? NodeOf(X509Certificate2 certificate) =>
        NodeCertificate.Read(certificate) is { } node && Issued(certificate) && Denied?.Of(node.Node) is null
            ? node
            : null;

    /// <summary>Whether its holder may see who is online, and no more than that.</summary>
    public bool IsViewer(X509Certificate2 certificate) =>
        CertificateName.Of(certificate)?.Role == CertificateName.Viewer && Issued(certificate)
        && Denied?.OfViewer(certificate) is null;

    /// <summary>Whether it is a certificate that the holder of the authority's key made for a command of his
    /// own.</summary>
    public bool IsOperator(X509Certificate2 certificate) =>
        CertificateName.Of(certificate)?.Role == CertificateName.Operator && Issued(certificate);
}
