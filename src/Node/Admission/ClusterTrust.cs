using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Node.Admission;

/// <summary>The one root that this cluster's members trust: its own authority. The system's roots mean nothing
/// here.</summary>
internal sealed class ClusterTrust(X509Certificate2 authority)
{
    public X509Certificate2 Authority => authority;

    /// <summary>SHA-256 of the authority's certificate: what tokens carry and clients pin.</summary>
    public byte[] Fingerprint { get; } = SHA256.HashData(authority.RawData);

    private string Cluster { get; } = CertificateName.Of(authority)?.Cluster ?? "";

    /// <summary>Whether the authority issued this certificate and it is valid now.</summary>
    public bool Issued(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // Configurations drop members instead.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) && CertificateName.Of(certificate)?.Cluster == Cluster;
    }

    /// <summary>The node this certificate proves, or null when it proves none of this cluster.</summary>
    public NodeCertificate? NodeOf(X509Certificate2 certificate) =>
        NodeCertificate.Read(certificate) is { } node && Issued(certificate) ? node : null;

    /// <summary>Whether its holder may see who is online, and no more than that.</summary>
    public bool IsViewer(X509Certificate2 certificate) =>
        CertificateName.Of(certificate)?.Role == CertificateName.Viewer && Issued(certificate);

    /// <summary>Whether it is a certificate that the holder of the authority's key made for a command of his
    /// own.</summary>
    public bool IsOperator(X509Certificate2 certificate) =>
        CertificateName.Of(certificate)?.Role == CertificateName.Operator && Issued(certificate);
}
