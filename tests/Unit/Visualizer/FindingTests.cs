using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Visualizer.Finding;
using ChordChat.Visualizer.Hosting;
using Xunit;

namespace ChordChat.Tests.Unit.Visualizer;

public sealed class FindingTests
{
    [Theory]
    [InlineData("localhost:7401", true)]
    [InlineData("10.0.0.7:1", true)]
    [InlineData("[::1]:7401", true)]
    [InlineData("localhost", false)]
    [InlineData("localhost:0", false)]
    [InlineData("localhost:65536", false)]
    [InlineData("localhost:-1", false)]
    [InlineData("localhost: 1", false)]
    [InlineData(":7401", false)]
    [InlineData("a/b:7401", false)]
    [InlineData("user@host:7401", false)]
    [InlineData("[fe80::1%eth0]:7401", true)]
    [InlineData("[fe80::1%@]:7401", false)]
    [InlineData("[fe80::1%\n]:7401", false)]
    [InlineData("", false)]
    public void An_address_is_a_host_and_a_port(string text, bool isOne) =>
        Assert.Equal(isOne, Addresses.IsAddress(text));

    [Fact]
    public void A_list_of_addresses_may_be_parted_by_commas_or_blanks() =>
        Assert.Equal(["a:1", "b:2", "c:3"], Addresses.In("a:1, b:2 nonsense;c:3"));

    [Theory]
    [InlineData("chordchat! 1 3f9a n1 localhost:7401", "localhost:7401")]
    [InlineData("chordchat! 1 3f9a n1 localhost:7401\n", "localhost:7401")]
    [InlineData("chordchat! 2 3f9a n1 localhost:7401", null)]
    [InlineData("chordchat? 1", null)]
    [InlineData("chordchat! 1 3f9a n1", null)]
    [InlineData("chordchat! 1 3f9a n1 http://evil/", null)]
    public void Only_a_well_formed_answer_names_an_address(string answer, string? address) =>
        Assert.Equal(address, MulticastQuestion.AddressIn(Encoding.ASCII.GetBytes(answer)));

    [Fact]
    public void A_cluster_file_names_nodes_and_authority()
    {
        using var root = Authority();
        foreach (var written in new[] { root.ExportCertificatePem(), Convert.ToBase64String(root.RawData) })
        {
            var json = $$"""
                {"nodes":[{"name":"n1","address":"localhost:7401"},{"name":"n2","address":"?"}],
                 "authority":"{{written.ReplaceLineEndings("\\n")}}"}
                """;
            var file = ClusterFile.Parse(json, "/");
            Assert.Equal(["localhost:7401"], file.Nodes);
            Assert.Equal(root.RawData, file.Authority);
        }
    }

    [Theory]
    [InlineData("{\"nodes\":[{\"na")]
    [InlineData("[]")]
    [InlineData("{\"nodes\":[{}]}")]
    [InlineData("{\"authority\":\"%%%\"}")]
    public void A_cluster_file_that_is_half_written_is_nothing_yet(string content)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, content);
            var file = ClusterFile.Read(path);
            Assert.Empty(file.Nodes);
            Assert.Null(file.Authority);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Empty(ClusterFile.Read(path).Nodes);
    }

    [Fact]
    public void All_problems_of_a_start_are_told_at_once()
    {
        var options = new VisualizerOptions
        {
            Port = 70000,
            Listen = "everywhere",
            Nodes = ["localhost", "localhost:7401"],
        };
        Assert.Collection(options.Problems(),
            port => Assert.Contains("70000", port, StringComparison.Ordinal),
            listen => Assert.Contains("everywhere", listen, StringComparison.Ordinal),
            node => Assert.Contains("\"localhost\"", node, StringComparison.Ordinal));
        Assert.Empty(new VisualizerOptions().Problems());
    }

    /// <summary>docs/security.md, "The page that shows the ring": whoever answers first would be trusted.</summary>
    [Theory]
    [InlineData("""{"nodes":[],"authority":"AUTHORITY"}""", true)]
    [InlineData("""{"nodes":[],"authority":""}""", false)]
    [InlineData("""{"nodes":[]}""", false)]
    [InlineData("""{"nodes":[],"authority":"%%%"}""", false)]
    [InlineData("", false)]
    public void A_cluster_file_without_an_authority_is_a_problem(string content, bool isGood)
    {
        using var root = Authority();
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, content.Replace(
                "AUTHORITY", Convert.ToBase64String(root.RawData), StringComparison.Ordinal));
            var problems = new VisualizerOptions { ClusterFile = path }.Problems().ToArray();
            if (isGood)
                Assert.Empty(problems);
            else
                Assert.Contains(path, Assert.Single(problems), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
