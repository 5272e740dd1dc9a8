using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>Certificates as a cluster makes them.</summary>
internal static class TestAuthority
{
    public static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    public static X509Certificate2 Issue(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=n1", key, HashAlgorithmName.SHA256);
        return request.Create(authority, authority.NotBefore, authority.NotAfter, [1]);
    }
}
