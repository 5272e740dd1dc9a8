using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using ChordChat.Tests.Unit.Fuzz;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

/// <summary>docs/protocol.md#ring-deny-list: the list, who may write it, and what it says of certificates.</summary>
public sealed class DenyListTests : IDisposable
{
    private const string Cluster = "000102030405060708090a0b0c0d0e0f";
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly TemporaryFolder _folder = new();
    private readonly ClusterAuthority _authority =
        ClusterAuthority.Create(Convert.FromHexString(Cluster), Now.AddDays(-1));

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Only_what_this_authority_signed_for_this_cluster_is_a_list()
    {
        var signed = List(1).Sign(_authority);
        var trust = new ClusterTrust(_authority.Certificate);
        Assert.Equal(List(1).Entries.AsEnumerable(), DenyList.Read(signed, Cluster, trust)!.Entries);
        using var other = ClusterAuthority.Create(Convert.FromHexString(Cluster), Now);
        Assert.Null(DenyList.Read(signed, Cluster, new ClusterTrust(other.Certificate)));
        Assert.Null(DenyList.Read(signed, new string('f', 32), trust));
        for (var i = 0; i < signed.Length; i++)
        {
            var changed = signed.ToArray();
            changed[i] ^= 1;
            Assert.Null(DenyList.Read(changed, Cluster, trust));
            Assert.Null(DenyList.Read(signed.AsSpan(0, i), Cluster, trust));
        }
    }

    [Fact]
    public void There_is_one_way_to_write_a_list()
    {
        var list = Encoding.ASCII.GetString(List(7).ToBytes());
        string[] bad =
        [
            "", list + "\n", list + " 1", $"{list}\u001b", With("node n1", "node  n1"), With("node n1", "node N1"),
            With("node n1", "twig n1"), With("\n7\n", "\n07\n"), With("\n7\n", "\n0\n"), With("list 1", "list 2"),
        ];
        Assert.All(bad, text => Assert.Null(DenyList.Parse(Encoding.Latin1.GetBytes(text))));
        var full = Enumerable.Repeat(List(1).Entries[0], DenyList.EntriesMax).ToArray();
        Assert.NotNull(DenyList.Parse(new DenyList(Cluster, 1, [.. full]).ToBytes()));
        Assert.Null(DenyList.Parse(new DenyList(Cluster, 1, [.. full, full[0]]).ToBytes()));

        string With(string old, string changed) => list.Replace(old, changed, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_a_list_or_none() => FuzzRun.Bytes([List(3).ToBytes()], 40_000, bytes =>
    {
        if (DenyList.Parse(bytes) is { } read)
            Assert.Equal(bytes, read.ToBytes());
    });

    [Fact]
    public void A_denied_node_is_no_node_and_others_are()
    {
        using ECDsa one = ECDsa.Create(ECCurve.NamedCurves.nistP256), two = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var denied = _authority.IssueNode(one, "n1", new byte[16], Now);
        using var again = _authority.IssueNode(two, "n1", new byte[16], Now); // The same name, another key.
        var trust = new ClusterTrust(_authority.Certificate);
        var node = trust.NodeOf(denied)!.Node;
        trust.Deny(new(Cluster, 1, [new Denial.OfNode("n1", node, Now)]));
        Assert.Null(trust.NodeOf(denied));
        Assert.NotNull(trust.NodeOf(again));
        var why = trust.Objection(denied, "this node's", Now)!;
        Assert.Contains("was revoked by the operator", why, StringComparison.Ordinal);
        Assert.Null(trust.Objection(again, "this node's", Now));
        using var renewed = _authority.RenewNode(denied, Now.AddYears(1));
        Assert.Null(trust.NodeOf(renewed!)); // It is the key that is denied.
    }

    [Fact]
    public void Viewers_are_denied_by_name_and_later_ones_are_not()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var old = _authority.IssueViewer(key, "page", Now.AddHours(-2), Now);
        using var other = _authority.IssueViewer(key, "wall", Now.AddHours(-2), Now);
        using var later = _authority.IssueViewer(key, "page", Now.AddMinutes(-5), Now);
        var trust = new ClusterTrust(_authority.Certificate);
        trust.Deny(new(Cluster, 1, [new Denial.OfViewers("page", Now.AddHours(-1), Now)]));
        Assert.False(trust.IsViewer(old));
        Assert.True(trust.IsViewer(other));
        Assert.True(trust.IsViewer(later));
    }

    [Fact]
    public void Viewers_that_were_made_under_a_fast_clock_are_denied_and_new_ones_are_not()
    {
        var (folder, authority) = Founded();
        using var _ = authority;
        var trust = new ClusterTrust(authority.Certificate);
        using var fast = Viewer(folder, "fast", Now.AddHours(3));
        folder.Deny(authority, folder.ViewersToDeny("page", Now));
        trust.Deny(folder.DenyList(authority)!);
        Assert.False(trust.IsViewer(fast));

        using var next = Viewer(folder, "next", Now);
        Assert.True(trust.IsViewer(next));
        folder.Deny(authority, folder.ViewersToDeny("page", Now.AddDays(-9))); // The clock is slow now.
        trust.Deny(folder.DenyList(authority)!);
        Assert.False(trust.IsViewer(fast));
        Assert.False(trust.IsViewer(next));
    }

    [Fact]
    public void A_name_whose_denial_reaches_beyond_now_is_given_to_no_viewer()
    {
        var (folder, authority) = Founded();
        using var _ = authority;
        using var fast = Viewer(folder, "fast", Now.AddDays(40));
        folder.Deny(authority, folder.ViewersToDeny("page", Now));
        Assert.Contains("--name", Refused(() => Viewer(folder, "next", Now)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_can_be_given_out_again_only_when_every_key_that_had_it_is_denied()
    {
        var folder = new ClusterFolder(_folder.Path);
        folder.Create(new(["n1", "n2"], 1, SessionPolicy.Takeover, Demo: false), Now);
        using var authority = folder.OpenAuthority();
        Assert.Equal(ExitCode.Usage, Refused(() => folder.Enrol(authority, "n2", Now)).Code);
        folder.Deny(authority, folder.NodesToDeny("n2", Now));
        folder.Enrol(authority, "n2", Now);
        Assert.Equal(ExitCode.Usage, Refused(() => folder.Enrol(authority, "n2", Now)).Code);
        folder.Deny(authority, folder.NodesToDeny("n2", Now));
        Assert.Equal(2ul, folder.DenyList(authority)!.Number);
        Assert.Equal(2, folder.DenyList(authority)!.Nodes.Distinct().Count());
        Assert.Equal(ExitCode.Usage, Refused(() => folder.NodesToDeny("n9", Now)).Code);
    }

    [Fact]
    public void A_folder_that_is_older_than_its_nodes_takes_their_list_and_never_an_older_one()
    {
        var folder = new ClusterFolder(_folder.Path);
        folder.Create(new(["n1", "n2"], 1, SessionPolicy.Takeover, Demo: false), Now);
        using var authority = folder.OpenAuthority();
        folder.Deny(authority, folder.NodesToDeny("n1", Now));
        var first = folder.SignedDenyList()!;
        folder.Deny(authority, folder.NodesToDeny("n2", Now));
        var second = folder.SignedDenyList()!;
        folder.TakeDenyList(authority, first);
        Assert.Equal(second, folder.SignedDenyList());
        File.WriteAllBytes(_folder["cluster/denied"], first);
        folder.TakeDenyList(authority, second);
        Assert.Equal(second, folder.SignedDenyList());
    }

    private (ClusterFolder Folder, ClusterAuthority Authority) Founded()
    {
        var folder = new ClusterFolder(_folder.Path);
        folder.Create(new(["n1", "n2"], 1, SessionPolicy.Takeover, Demo: false), Now.AddDays(-30));
        return (folder, folder.OpenAuthority());
    }

    private X509Certificate2 Viewer(ClusterFolder folder, string to, DateTimeOffset now)
    {
        folder.WriteViewer(_folder[to], now, "page");
        return CertificateFiles.Read(_folder[to], CertificateName.Viewer);
    }

    private static StartRefusedException Refused(Action act) => Assert.Throws<StartRefusedException>(act);

    private static DenyList List(ulong number) => new(
        Cluster, number,
        [
            new Denial.OfNode("n1", new NodeId(1, 2), DateTimeOffset.FromUnixTimeSeconds(1_800_000_000)),
            new Denial.OfViewers(
                "page", DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
                DateTimeOffset.FromUnixTimeSeconds(1_800_000_000)),
        ]);
}
