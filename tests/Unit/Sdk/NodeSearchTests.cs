using System.Net;
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

    /// <summary>docs/e2e.md, New device: the node in use must not be the only one that says where others are.</summary>
    [Fact]
    public async Task Another_node_is_looked_for_at_every_source_and_last_where_nodes_say_that_others_are()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, """{"nodes":[{"name":"n1","address":"e:5"}]}""");
        var search = new NodeSearch
        {
            Explicit = ["c:3"],
            FromEnvironment = ["d:4"],
            ClusterFile = file,
            AskNetwork = false,
        };
        Assert.Equal(["b:2", "c:3", "d:4", "e:5", "a:1"], await OthersAsync(search));
        File.Delete(file);
        Assert.Equal(["b:2", "c:3", "d:4", "a:1"], await OthersAsync(search));

        static async Task<IEnumerable<string>> OthersAsync(NodeSearch search)
        {
            KnownNode[] known = [new("a:1", null), new("b:2", "AB")];
            var groups = new List<IReadOnlyList<string>>();
            await foreach (var group in NodeFinder.SearchOthersAsync(
                search, known, isEverywhere: true, CancellationToken.None))
                groups.Add(group);
            return groups.SelectMany(group => group);
        }
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
    [InlineData("LocalHost:443", true)]
    [InlineData("b\u00fccher.example:7401", true)]
    [InlineData("[0:0::1]:7401", true)]
    [InlineData("[fe80::1%eth0]:7401", true)]
    [InlineData("[fe80::1%2]:7401", true)]
    [InlineData("[fe80::1%@]:7401", false)]
    [InlineData("[fe80::1%]:7401", false)]
    [InlineData("[fe80::1%a b]:7401", false)]
    [InlineData("[fe80::1%\n192.0.2.1:7401 AB\n]:7401", false)]
    [InlineData("[fe80::1%a]b]:7401", false)]
    [InlineData("127.1:7401", false)] // Is read as another host.
    [InlineData("localhost:7401\0", false)]
    [InlineData("local\u202ehost:7401", false)]
    [InlineData("user@localhost:7401", false)]
    [InlineData("localhost/a:7401", false)]
    [InlineData(null, false)]
    public void An_address_is_host_and_port(string? address, bool valid) =>
        Assert.Equal(valid, NodeAddresses.IsWellFormed(address));

    [Fact]
    public void An_address_has_an_end()
    {
        var host = string.Join('.', Enumerable.Repeat(new string('a', 49), 5));
        Assert.True(NodeAddresses.IsWellFormed($"{host}:7401"));
        Assert.False(NodeAddresses.IsWellFormed($"{host}.{host}:7401"));
    }

    /// <summary>docs/e2e.md, Known nodes.</summary>
    [Fact]
    public void What_a_profile_remembers_is_looked_at_again()
    {
        KnownNode[] nodes = [new("a:1", "AB"), new("[fe80::1%eth0]:2", "CD"), new("c:3", null)];
        Assert.Equal(nodes, KnownNode.ReadAll(KnownNode.WriteAll(nodes)));
        // As an older program wrote it: an address with line breaks, and what it hid in one of them.
        Assert.Equal(
            [new("a:1", null), new("192.0.2.1:7401", null), new("c:3", null)],
            KnownNode.ReadAll("a:1 AB\n[fe80::1%\n192.0.2.1:7401 EF\n]:7401\nc:3"));
        Assert.Empty(KnownNode.ReadAll("[fe80::1%@]:7401\n"));
        Assert.Equal([new("a:1", null)], KnownNode.ReadAll("a:1 no-hex"));
    }

    /// <summary>docs/operations.md, Limits.</summary>
    [Fact]
    public void Each_machine_of_the_network_has_its_share_of_the_answers()
    {
        var answers = new MulticastAnswers();
        for (var port = 1; port <= 100; port++)
            answers.Add(IPAddress.Parse("10.0.0.66"), $"10.0.0.66:{port}");
        answers.Add(IPAddress.Parse("10.0.0.1"), "10.0.0.1:7401");
        answers.Add(IPAddress.Parse("10.0.0.1"), "10.0.0.1:7402");
        Assert.Equal(
            ["10.0.0.66:1", "10.0.0.1:7401", "10.0.0.66:2", "10.0.0.1:7402", "10.0.0.66:3", "10.0.0.66:4"],
            answers.InTurn());
        for (var i = 0; i < 5_000; i++)
            answers.Add(new IPAddress([11, 0, (byte)(i / 256), (byte)i]), $"evil:{i + 1}");
        Assert.Equal(MulticastAnswers.Max, answers.InTurn().Count);
    }

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
