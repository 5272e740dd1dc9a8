using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Node.Identity;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input: any stranger can present any certificate; he is nobody, and that is
/// all.</summary>
public class CertificateFuzzTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void Certificates_with_a_damaged_name()
    {
        using var authority = ClusterAuthority.Create(new byte[16], Now);
        var trust = new ClusterTrust(authority.Certificate);
        using var ours = authority.IssueNode(Key, "n1", new byte[16], Now);
        Assert.NotNull(trust.NodeOf(ours));
        byte[][] corpus = [ours.Extensions["2.5.29.17"]!.RawData, .. Names()];
        FuzzRun.Rounds(300, random => Mutation.Of(corpus, random), name =>
        {
            using var certificate = Named(name);
            Assert.Null(trust.NodeOf(certificate));
            Assert.False(trust.IsOperator(certificate));
        }, Convert.ToHexString);
    }

    [Fact]
    public void Damaged_certificates()
    {
        using var authority = ClusterAuthority.Create(new byte[16], Now);
        var trust = new ClusterTrust(authority.Certificate);
        using var ours = authority.IssueNode(Key, "n1", new byte[16], Now);
        FuzzRun.Rounds(1_500, random => Mutation.Of([ours.RawData], random), bytes =>
        {
            using var certificate = X509CertificateLoader.LoadCertificate(bytes);
            Assert.True(trust.NodeOf(certificate) is null || bytes.AsSpan().StartsWith(ours.RawData));
            Assert.False(trust.IsOperator(certificate));
        }, Convert.ToHexString, typeof(CryptographicException));
    }

    /// <summary>Well-formed, but with words that mean nothing.</summary>
    private static IEnumerable<byte[]> Names()
    {
        foreach (var uri in (string[])
                 [
                     "chordchat://zz/operator", "chordchat://00/", $"chordchat://{new string('0', 32)}/operator",
                     $"chordchat://{new string('0', 32)}/{new string('g', 32)}", "chordchat:operator",
                 ])
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new Uri(uri));
            yield return names.Build().RawData;
        }
    }

    private static X509Certificate2 Named(byte[] name)
    {
        var request = new CertificateRequest("CN=n1", Key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", name, critical: false));
        return request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }
}
