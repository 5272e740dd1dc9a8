using System.Security.Cryptography;
using ChordChat.Crypto;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

/// <summary>docs/operations.md#certificates-expire: a wrong clock is called that, and what ends soon is said.</summary>
public sealed class CertificateTimeTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, IssueVerdict.Issued)]
    [InlineData(-30, IssueVerdict.NotYetValid)]
    [InlineData(3_700, IssueVerdict.Expired)]
    [InlineData(40_000, IssueVerdict.Expired)] // The authority's is over, too.
    public void A_clock_that_is_wrong_is_no_other_cluster(int daysOff, IssueVerdict verdict)
    {
        using var authority = ClusterAuthority.Create(new byte[16], Now);
        using var other = ClusterAuthority.Create(new byte[16], Now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = authority.IssueNode(key, "n1", new byte[16], Now);
        var clock = Now.AddDays(daysOff);
        Assert.Equal(verdict, CertificateTimes.Judge(certificate, authority.Certificate, clock));
        Assert.Equal(IssueVerdict.Foreign, CertificateTimes.Judge(certificate, other.Certificate, clock));
        if (verdict is IssueVerdict.Issued)
            return;
        var words = new ClusterTrust(authority.Certificate).Objection(certificate, "that node's", clock)!;
        Assert.Contains($"this machine's clock says {clock.UtcDateTime:yyyy-MM-dd}", words, StringComparison.Ordinal);
        Assert.Contains("set the clock", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-4_000)]
    public void A_node_whose_clock_and_certificate_do_not_agree_says_so_and_does_not_start(int days)
    {
        Found(Now.AddDays(days));
        var refused = Assert.Throws<StartRefusedException>(() => NodeIdentity.Read(_folder["nodes/n1"]));
        Assert.Equal(ExitCode.WrongTime, refused.Code);
        Assert.Contains("set the clock", refused.Message, StringComparison.Ordinal);
        Assert.Null(FolderChecks.Identity(_folder["nodes/n1"], out var findings));
        Assert.Equal((Verdict.Fail, "clock"), (findings[0].Verdict, findings[0].What));
    }

    [Fact]
    public void The_doctor_says_what_ends_soon_and_what_to_type()
    {
        Found(Now);
        var identity = NodeIdentity.Read(_folder["nodes/n1"]);
        var end = new DateTimeOffset(identity.Certificate.NotAfter.ToUniversalTime());
        Assert.Equal(Verdict.Ok, FolderChecks.Certificates(identity, end.AddDays(-31)).Single().Verdict);
        var soon = FolderChecks.Certificates(identity, end.AddDays(-29)).Single();
        Assert.Equal(Verdict.Warn, soon.Verdict);
        Assert.Contains("chordchat-node cluster renew n1", soon.Remedy, StringComparison.Ordinal);
        end = new DateTimeOffset(identity.Trust.Authority.NotAfter.ToUniversalTime());
        Assert.Equal(2, FolderChecks.Certificates(identity, end.AddDays(-29)).Count());
    }

    [Fact]
    public void The_doctor_says_that_a_certificate_was_revoked()
    {
        var folder = Found(Now);
        using var authority = folder.OpenAuthority();
        folder.Deny(authority, folder.NodesToDeny("n1", Now));
        File.WriteAllBytes(_folder["nodes/n1/denied"], folder.SignedDenyList()!);
        var finding = FolderChecks.Certificates(NodeIdentity.Read(_folder["nodes/n1"]), Now).Single();
        Assert.Equal(Verdict.Fail, finding.Verdict);
        Assert.Contains("revoked by the operator", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renewed_certificate_is_the_same_node_for_longer_and_never_outlives_the_authority()
    {
        using var authority = ClusterAuthority.Create(new byte[16], Now);
        using var other = ClusterAuthority.Create(new byte[16], Now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var old = authority.IssueNode(key, "n1", RandomNumberGenerator.GetBytes(16), Now);
        using var renewed = authority.RenewNode(old, Now.AddYears(9))!;
        Assert.Equal(Facts(old), Facts(renewed));
        Assert.True(renewed.NotAfter > old.NotAfter.AddYears(8));
        using var late = authority.RenewNode(old, Now.AddYears(25))!; // When the old one had ended.
        Assert.Equal(authority.Certificate.NotAfter, late.NotAfter);
        Assert.Null(other.RenewNode(old, Now));
        using var viewer = authority.IssueViewer(key, "viewer", Now, Now);
        Assert.Null(authority.RenewNode(viewer, Now));
    }

    private static object Facts(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var node = NodeCertificate.Read(certificate)!;
        return (node.Node, node.Position, node.Name);
    }

    private ClusterFolder Found(DateTimeOffset now)
    {
        var folder = new ClusterFolder(_folder.Path);
        folder.Create(new(["n1"], 0, SessionPolicy.Takeover, Demo: false), now);
        return folder;
    }
}
