using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

public sealed class ClusterFolderTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_founder_has_the_identity_that_the_genesis_says()
    {
        var genesis = Create(5);
        Assert.Equal(["n1", "n2", "n3", "n4", "n5"], genesis.Founders.Select(f => f.Name).Order());
        foreach (var founder in genesis.Founders)
        {
            var identity = NodeIdentity.Read(_folder[$"nodes/{founder.Name}"]);
            Assert.Equal((founder.Node, founder.Position, founder.Name), (
                identity.Self.Node, identity.Self.Position, identity.Self.Name));
            Assert.Equal(
                founder.Position, RingId.OfNode(genesis.Cluster.AsSpan(), founder.Node, founder.Salt.AsSpan()));
            Assert.Equal(genesis.ClusterHex, identity.Genesis.ClusterHex);
            Assert.Equal(32, identity.Secret.Length);
        }
    }

    [Fact]
    public void Founders_stand_clockwise_and_well_apart()
    {
        var positions = Create(5).Founders.Select(f => f.Position).ToArray();
        Assert.Equal(positions.Order(), positions);
        var fair = UInt128.MaxValue / 5;
        for (var i = 0; i < positions.Length; i++)
            Assert.InRange(positions[i].DistanceTo(positions[(i + 1) % 5]), fair - fair / 10, fair + fair / 10);
    }

    [Fact]
    public void Only_the_owner_may_read_what_is_written()
    {
        if (OperatingSystem.IsWindows())
            return;
        Create(1);
        const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        foreach (var file in Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories))
            Assert.Equal(ReadWrite, File.GetUnixFileMode(file));
        foreach (var folder in Directory.GetDirectories(_folder.Path, "*", SearchOption.AllDirectories))
            Assert.Equal(ReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
    }

    [Fact]
    public void A_folder_holds_one_cluster_for_ever()
    {
        Create(1);
        Assert.Equal(ExitCode.Usage, Assert.Throws<StartRefusedException>(() => Create(1)).Code);
    }

    [Fact]
    public void A_changed_genesis_is_not_believed()
    {
        Create(3);
        var path = _folder[$"nodes/n1/{GenesisFile.FileName}"];
        var text = File.ReadAllText(path);
        File.WriteAllText(path, text.Replace("\"backupCount\": 2", "\"backupCount\": 1", StringComparison.Ordinal));
        var refused = Assert.Throws<StartRefusedException>(() => NodeIdentity.Read(_folder["nodes/n1"]));
        Assert.Equal(ExitCode.Damaged, refused.Code);
        Assert.Contains("signature", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_two_nodes_are_not_mixed()
    {
        Create(2);
        File.Copy(_folder["nodes/n2/identity.key"], _folder["nodes/n1/identity.key"], overwrite: true);
        var refused = Assert.Throws<StartRefusedException>(() => NodeIdentity.Read(_folder["nodes/n1"]));
        Assert.Equal(ExitCode.Damaged, refused.Code);
    }

    [Fact]
    public void Files_of_two_clusters_are_not_mixed()
    {
        Create(1);
        using var other = new TemporaryFolder();
        new ClusterFolder(other.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), Now);
        foreach (var name in new[] { "identity.key", "identity.crt" })
            File.Copy(other[$"nodes/n1/{name}"], _folder[$"nodes/n1/{name}"], overwrite: true);
        Assert.Equal(
            ExitCode.Foreign, Assert.Throws<StartRefusedException>(() => NodeIdentity.Read(_folder["nodes/n1"])).Code);
    }

    [Fact]
    public void A_certificate_of_another_cluster_proves_nothing()
    {
        Create(1);
        using var other = new TemporaryFolder();
        new ClusterFolder(other.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), Now);
        var ours = NodeIdentity.Read(_folder["nodes/n1"]);
        var theirs = NodeIdentity.Read(other["nodes/n1"]);
        Assert.NotNull(ours.Trust.NodeOf(ours.Certificate));
        Assert.Null(ours.Trust.NodeOf(theirs.Certificate));
    }

    [Fact]
    public void An_operator_is_not_a_node_and_a_node_is_no_operator()
    {
        Create(1);
        var node = NodeIdentity.Read(_folder["nodes/n1"]);
        using var authority = new ClusterFolder(_folder.Path).OpenAuthority();
        using var command = authority.IssueOperator(Now);
        Assert.True(node.Trust.IsOperator(command));
        Assert.Null(node.Trust.NodeOf(command));
        Assert.False(node.Trust.IsOperator(node.Certificate));
        Assert.Null(node.Trust.NodeOf(authority.Certificate));
    }

    [Fact]
    public void New_nodes_get_free_names_and_stand_in_the_widest_gap()
    {
        var genesis = Create(2);
        var folder = new ClusterFolder(_folder.Path);
        using var authority = folder.OpenAuthority();
        Assert.Equal("n3", folder.Enrol(authority, null, Now).Name);
        Assert.Equal("laptop", folder.Enrol(authority, "laptop", Now).Name);
        Assert.Equal("n5", folder.Enrol(authority, null, Now).Name);
        Assert.Equal(
            ExitCode.Usage,
            Assert.Throws<StartRefusedException>(() => folder.Enrol(authority, "laptop", Now)).Code);
        var issued = File.ReadAllLines(_folder["cluster/issued"])
            .Select(line => RingId.FirstBytes(Convert.FromHexString(line.Split(' ')[1])));
        var points = genesis.Founders.Select(f => f.Position).Concat(issued.Take(2)).Order().ToArray();
        var quarter = UInt128.MaxValue / 4;
        for (var i = 0; i < 4; i++)
            Assert.InRange(points[i].DistanceTo(points[(i + 1) % 4]), quarter - quarter / 10, quarter + quarter / 10);
    }

    [Theory]
    [InlineData(new[] { "n1", "n1", "N 2" }, 7, 3)]
    [InlineData(new[] { "n1" }, 1, 1)]
    [InlineData(new string[0], 0, 1)]
    [InlineData(new[] { "n1", "n2", "n3" }, 2, 0)]
    public void A_plan_says_all_that_is_wrong_with_it(string[] names, int backups, int problems) =>
        Assert.Equal(problems, new ClusterPlan(names, backups, SessionPolicy.Takeover, false).Problems().Count());

    private Genesis Create(int nodes) => new ClusterFolder(_folder.Path).Create(
        new([.. Enumerable.Range(1, nodes).Select(i => $"n{i}")], Math.Min(2, nodes - 1),
            SessionPolicy.Takeover, false),
        Now);
}
