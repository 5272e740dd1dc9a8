using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Sdk.Nodes;

/// <summary>The authority this profile trusts: pinned on first use, and from then on the only one.</summary>
public sealed class ClusterTrust
{
    private X509Certificate2? _authority;

    public ClusterTrust(byte[]? authority)
    {
        if (authority is not null)
            _authority = X509CertificateLoader.LoadCertificate(authority);
    }

    public bool IsPinned => _authority is not null;

    /// <summary>The pinned certificate, DER; null before the first use.</summary>
    public byte[]? Authority => _authority?.RawData;

    /// <summary>SHA-256 of the authority in groups of four hex digits, to be compared between people.</summary>
    public string Fingerprint => _authority is null ? "none" : FingerprintOf(_authority.RawData);

    /// <summary>The fingerprint of the certificate <paramref name="authority"/> (DER).</summary>
    public static string FingerprintOf(byte[] authority) => string.Join(' ', Convert
        .ToHexStringLower(SHA256.HashData(authority).AsSpan(0, 16)).Chunk(4).Select(four => new string(four)));

    /// <summary>Names the authority to expect before the first connection; changes nothing once one is
    /// pinned.</summary>
    public void Expect(byte[] authority) => _authority ??= X509CertificateLoader.LoadCertificate(authority);

    /// <summary>Whether <paramref name="presented"/> was issued by the pinned authority; anything goes before the pin,
    /// and <see cref="Pin"/> looks at it again.</summary>
    internal bool Accepts(X509Certificate2 presented) =>
        _authority is null || IsIssuedBy(presented, _authority);

    /// <summary>Pins <paramref name="authority"/>, which must have issued what the node presented.</summary>
    /// <returns>False if it did not, or if it is not the authority that is pinned already.</returns>
    internal bool Pin(byte[] authority, X509Certificate2 presented)
    {
        X509Certificate2 candidate;
        try
        {
            candidate = X509CertificateLoader.LoadCertificate(authority);
        }
        catch (CryptographicException)
        {
            return false;
        }

        if (!IsIssuedBy(presented, candidate))
            return false;
        if (_authority is not null)
            return _authority.RawDataMemory.Span.SequenceEqual(candidate.RawDataMemory.Span);
        _authority = candidate;
        return true;
    }

    private static bool IsIssuedBy(X509Certificate2 presented, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(presented);
    }
}
