using System.Text;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class NodeSearchTests
{
    [Fact]
    public async Task Explicit_nodes_are_asked_and_nobody_else() =>
        Assert.Equal(["a:1", "b:2"], (await GroupsAsync(new NodeSearch
        {
            Explicit = ["a:1", "b:2"],
            Known = ["c:3"],
        })).Single());

    [Fact]
    public async Task Known_nodes_come_before_the_environment_and_the_cluster_file()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, """{"nodes":[{"name":"n1","address":"c:3"}]}""");
        var groups = await GroupsAsync(new NodeSearch
        {
            Known = ["a:1"],
            FromEnvironment = ["b:2"],
            ClusterFile = file,
            AskNetwork = false,
        });
        Assert.Equal(["a:1", "b:2", "c:3"], groups.SelectMany(group => group));
        File.Delete(file);
    }

    [Fact]
    public void A_cluster_file_names_its_authority_as_base64_or_pem()
    {
        using var authority = TestAuthority.Make();
        var file = Path.GetTempFileName();
        foreach (var text in new[]
        {
            Convert.ToBase64String(authority.RawData), authority.ExportCertificatePem().ReplaceLineEndings("\\n"),
        })
        {
            File.WriteAllText(file, $$"""{"nodes":[{"name":"n1","address":"c:3"}],"authority":"{{text}}"}""");
            Assert.Equal(authority.RawData, ClusterFile.Read(file).Authority);
        }

        File.WriteAllText(file, "{}");
        Assert.Equal("bad_cluster_file", Assert.Throws<ChordChatException>(() => ClusterFile.Read(file)).Code);
        File.Delete(file);
    }

    [Theory]
    [InlineData("chordchat! 1 00ff n1 192.168.1.5:7401", "192.168.1.5:7401")]
    [InlineData("chordchat! 2 00ff n1 192.168.1.5:7401", null)]
    [InlineData("chordchat! 1 00ff n1 nonsense", null)]
    [InlineData("chordchat? 1", null)]
    public void Only_a_whole_answer_names_a_node(string answer, string? address) =>
        Assert.Equal(address, MulticastQuestion.ParseAnswer(Encoding.ASCII.GetBytes(answer)));

    [Theory]
    [InlineData("localhost:7401", true)]
    [InlineData("[::1]:7401", true)]
    [InlineData("localhost", false)]
    [InlineData("localhost:0", false)]
    [InlineData("localhost:99999", false)]
    [InlineData(":7401", false)]
    [InlineData("a b:7401", false)]
    public void An_address_is_host_and_port(string address, bool valid) =>
        Assert.Equal(valid, NodeAddresses.IsWellFormed(address));

    [Fact]
    public void The_first_authority_is_pinned_and_no_other_accepted()
    {
        using var ours = TestAuthority.Make();
        using var theirs = TestAuthority.Make();
        using var node = TestAuthority.Issue(ours);
        using var stranger = TestAuthority.Issue(theirs);
        var trust = new ClusterTrust(null);
        Assert.False(trust.Pin(ours.RawData, stranger));
        Assert.True(trust.Pin(ours.RawData, node));
        Assert.True(trust.Accepts(node));
        Assert.False(trust.Accepts(stranger));
        Assert.False(trust.Pin(theirs.RawData, stranger));
        trust.Expect(theirs.RawData);
        Assert.False(trust.Accepts(stranger));
    }

    private static async Task<List<IReadOnlyList<string>>> GroupsAsync(NodeSearch search)
    {
        var groups = new List<IReadOnlyList<string>>();
        await foreach (var group in NodeFinder.SearchAsync(search))
            groups.Add(group);
        return groups;
    }
}
