using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;

namespace ChordChat.Node.Identity;

/// <summary>The cluster's certificate authority: whoever holds its key decides who is a node. Nodes never need
/// it.</summary>
internal sealed class ClusterAuthority(X509Certificate2 certificate) : IDisposable
{
    private static readonly TimeSpan ClockSlack = TimeSpan.FromDays(1);
    private static readonly TimeSpan OwnLife = TimeSpan.FromDays(365 * 30);
    private static readonly TimeSpan NodeLife = TimeSpan.FromDays(365 * 10);
    private static readonly TimeSpan OperatorLife = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ViewerLife = TimeSpan.FromDays(365);

    public X509Certificate2 Certificate => certificate;

    private string Cluster { get; } = CertificateName.Of(certificate)?.Cluster
        ?? throw new CryptographicException("the certificate is not a cluster authority's");

    /// <summary>Makes a key, and the cluster's id from it: docs/e2e.md, Conventions.</summary>
    public static (ClusterAuthority Authority, ClusterId Cluster) Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var cluster = ClusterId.OfAuthority(key.ExportSubjectPublicKeyInfo());
        return (Create(cluster.ToBytes(), key, now), cluster);
    }

    public static ClusterAuthority Create(ReadOnlySpan<byte> cluster, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Create(cluster, key, now);
    }

    private static ClusterAuthority Create(ReadOnlySpan<byte> cluster, ECDsa key, DateTimeOffset now)
    {
        var name = new CertificateName(Convert.ToHexStringLower(cluster), CertificateName.Authority);
        var subject = $"CN=ChordChat cluster {name.Cluster[..8]}";
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(AlternativeNames(name, []));
        return new(request.CreateSelfSigned(now - ClockSlack, now + OwnLife));
    }

    /// <summary>A certificate for a node's key, good for both ends of a connection.</summary>
    /// <param name="salt">16 bytes that put the node where it stands on the circle.</param>
    public X509Certificate2 IssueNode(ECDsa key, string name, ReadOnlySpan<byte> salt, DateTimeOffset now) =>
        Issue(
            new PublicKey(key), name, new(Cluster, Convert.ToHexStringLower(salt)),
            ["localhost", Dns.GetHostName(), name], now, NodeLife);

    /// <summary>The same node, name and place, valid for as long again from now on.</summary>
    /// <param name="old">May have ended.</param>
    /// <returns>Null when this authority never issued it, or it is no node's.</returns>
    public X509Certificate2? RenewNode(X509Certificate2 old, DateTimeOffset now)
    {
        if (NodeCertificate.Read(old) is not { } node || CertificateName.Of(old) is not { } name
            || name.Cluster != Cluster || CertificateTimes.Judge(old, certificate, now) is IssueVerdict.Foreign)
            return null;
        return Issue(
            old.PublicKey, node.Name, name, ["localhost", Dns.GetHostName(), node.Name], now, NodeLife);
    }

    /// <summary>A certificate, with its key, for one command of the authority's holder; it expires in
    /// minutes.</summary>
    public X509Certificate2 IssueOperator(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Issue(
            new PublicKey(key), CertificateName.Operator, new(Cluster, CertificateName.Operator), [], now,
            OperatorLife);
        return CertificateFiles.WithKey(issued, key);
    }

    /// <summary>A certificate, with its key, for a page that may see who is online and ask about people.</summary>
    /// <param name="name">By which it can be revoked, and the moment since when it is valid.</param>
    public X509Certificate2 IssueViewer(ECDsa key, string name, DateTimeOffset since, DateTimeOffset now) => Issue(
        new PublicKey(key), name, new(Cluster, CertificateName.Viewer), [], now, ViewerLife, since);

    /// <summary>What a certificate made at <paramref name="now"/> says that it is valid since.</summary>
    public static DateTimeOffset ValidSince(DateTimeOffset now) => now - ClockSlack;

    public byte[] Sign(byte[] data)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.SignData(data, HashAlgorithmName.SHA256);
    }

    public void Dispose() => certificate.Dispose();

    private X509Certificate2 Issue(
        PublicKey key, string commonName, CertificateName name, string[] hosts, DateTimeOffset now, TimeSpan life,
        DateTimeOffset? since = null)
    {
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN={commonName}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new("1.3.6.1.5.5.7.3.1", "server"), new("1.3.6.1.5.5.7.3.2", "client")], critical: false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));
        request.CertificateExtensions.Add(AlternativeNames(name, hosts));
        var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        return request.Create(
            certificate, since ?? ValidSince(now), now + life < end ? now + life : end,
            RandomNumberGenerator.GetBytes(16));
    }

    private static X509Extension AlternativeNames(CertificateName name, string[] hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(name.ToUri());
        foreach (var host in hosts.Distinct().Where(h => Uri.CheckHostName(h) == UriHostNameType.Dns))
            names.AddDnsName(host);
        if (hosts.Length > 0)
            names.AddIpAddress(IPAddress.Loopback);
        return names.Build();
    }
}
