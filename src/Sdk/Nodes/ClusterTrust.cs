using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;

namespace ChordChat.Sdk.Nodes;

/// <summary>The authority this profile trusts: from the first login on the only one.</summary>
/// <remarks>docs/e2e.md, First contact. Before that somebody must vouch for it: the profile, the cluster file, a
/// fingerprint that was named, or a person who agrees. Links to several nodes may be opened side by side: the first one
/// pins.</remarks>
public sealed class ClusterTrust
{
    private const int FingerprintBytes = 16;

    private readonly HashSet<string> _vouchedFor = [];
    private readonly Lock _turn = new();
    private volatile X509Certificate2? _authority;
    private bool _isAgreed;
    private string? _only; // The digits of the fingerprint that was named.

    public ClusterTrust(byte[]? authority)
    {
        if (authority is not null)
        {
            _authority = X509CertificateLoader.LoadCertificate(authority);
            Vouch(authority);
        }
    }

    /// <summary>Whether secrets may be sent to this authority's nodes.</summary>
    public bool IsVouched => IsNamed || _isAgreed;

    /// <summary>Whether the very certificate was named to us, by more than a person's yes.</summary>
    internal bool IsNamed => _authority is not null && _vouchedFor.Contains(Compact(Fingerprint));

    public bool IsPinned => _authority is not null;

    /// <summary>The pinned certificate, DER; null before the first use.</summary>
    public byte[]? Authority => _authority?.RawData;

    /// <summary>SHA-256 of the authority in groups of four hex digits, to be compared between people.</summary>
    /// <remarks>16 bytes of it: 32 digits.</remarks>
    public string Fingerprint => _authority is null ? "none" : FingerprintOf(_authority.RawData);

    /// <summary>The fingerprint of the certificate <paramref name="authority"/> (DER).</summary>
    public static string FingerprintOf(byte[] authority) => string.Join(' ', Convert
        .ToHexStringLower(SHA256.HashData(authority).AsSpan(0, FingerprintBytes)).Chunk(4)
        .Select(four => new string(four)));

    /// <summary>Names the authority to expect before the first connection; changes nothing once one is
    /// pinned.</summary>
    public void Expect(byte[] authority)
    {
        if (!MayBe(authority))
            return; // Somebody named another one.
        Vouch(authority);
        _authority ??= X509CertificateLoader.LoadCertificate(authority);
    }

    /// <summary>This authority is known, if it is met; another one may be met as well.</summary>
    public void Vouch(byte[] authority) => _vouchedFor.Add(Compact(FingerprintOf(authority)));

    /// <summary>The authority with this fingerprint is the right one, and no other is.</summary>
    /// <exception cref="ChordChatException"><c>bad_fingerprint</c>: it is none; <c>foreign_cluster</c>: another one is
    /// pinned.</exception>
    public void Only(string fingerprint)
    {
        var digits = Compact(fingerprint);
        if (digits.Length != 2 * FingerprintBytes || !digits.All(char.IsAsciiHexDigit))
            throw new ChordChatException(
                "bad_fingerprint", $"'{fingerprint}' is not the fingerprint of a cluster",
                "it is 32 hex digits, as 'chordchat' shows them at the first sight of a cluster");
        if (IsPinned && Compact(Fingerprint) != digits)
            throw new ChordChatException(
                "foreign_cluster", $"this profile trusts the cluster {Fingerprint}, not the one that was named",
                "leave the fingerprint out, or use another --profile for the other cluster");
        _vouchedFor.Add(digits);
        _only = digits;
    }

    /// <summary>Whether a fingerprint was named, and this authority has another one.</summary>
    internal bool IsExcluded(byte[] authority) => !MayBe(authority);

    private bool MayBe(byte[] authority) => _only is null || Compact(FingerprintOf(authority)) == _only;

    /// <summary>A person has looked at the fingerprint and agrees.</summary>
    public void Agree() => _isAgreed = IsPinned;

    /// <summary>Whether <paramref name="presented"/> was issued by the pinned authority; anything goes before the pin,
    /// and <see cref="Pin"/> looks at it again.</summary>
    internal bool Accepts(X509Certificate2 presented) =>
        _authority is null || IsIssuedBy(presented, _authority);

    /// <summary>In words, when only this machine's clock speaks against a certificate of the pinned authority, or,
    /// before the pin, of the one that the node names. Null otherwise.</summary>
    internal string? WrongTime(X509Certificate2 presented, byte[] named, string address)
    {
        var now = DateTimeOffset.UtcNow;
        try
        {
            using var candidate = X509CertificateLoader.LoadCertificate(_authority?.RawData ?? named);
            var verdict = CertificateTimes.Judge(presented, candidate, now);
            return verdict is IssueVerdict.NotYetValid or IssueVerdict.Expired
                ? CertificateTimes.InWords(verdict, presented, candidate, $"{address}'s", now)
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a cluster of this authority has this id: it follows from the authority's key, or the
    /// certificate was named to us and says so itself. A node's word alone is never enough.</summary>
    internal bool MayHaveId(byte[] authority, ReadOnlySpan<byte> cluster)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(authority);
            if (_vouchedFor.Contains(Compact(FingerprintOf(authority)))
                && CertificateName.Of(certificate)?.Cluster == Convert.ToHexStringLower(cluster))
                return true;
            var id = ClusterId.OfAuthority(certificate.PublicKey.ExportSubjectPublicKeyInfo());
            return cluster.SequenceEqual(id.ToBytes());
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

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

        if (!IsIssuedBy(presented, candidate) || !MayBe(candidate.RawData))
            return false;
        lock (_turn)
        {
            if (_authority is not null)
                return _authority.RawDataMemory.Span.SequenceEqual(candidate.RawDataMemory.Span);
            _authority = candidate;
            return true;
        }
    }

    private static string Compact(string fingerprint) =>
        fingerprint.Replace(" ", "", StringComparison.Ordinal).Replace(":", "", StringComparison.Ordinal)
            .ToLowerInvariant();

    private static bool IsIssuedBy(X509Certificate2 presented, X509Certificate2 authority) =>
        CertificateTimes.Judge(presented, authority, DateTimeOffset.UtcNow) is IssueVerdict.Issued
        // The authority signs those of pages and operators, too: they are no nodes, and get no secrets.
        && CertificateName.Of(presented)?.Role is not (CertificateName.Viewer or CertificateName.Operator);
}
