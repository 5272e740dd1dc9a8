using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

/// <summary>docs/operations.md, "Exit codes": what an operator may get wrong, and any disk, is said in words and is no
/// bug to report.</summary>
public sealed class CommandMistakeTests : IDisposable
{
    private static readonly ClusterPlan Plan = new(["n1"], 0, SessionPolicy.Takeover, Demo: false);
    private readonly TemporaryFolder _folder = new();

    public CommandMistakeTests() => new ClusterFolder(_folder.Path).Create(Plan, DateTimeOffset.UtcNow);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_cluster_cannot_be_made_where_nothing_can_be_written()
    {
        await File.WriteAllTextAsync(_folder["file"], "");
        await SaysAsync(ExitCode.Storage, _folder["file"], "cluster", "init", "--data", _folder["file/below"]);
        await SaysAsync(ExitCode.Storage, _folder["file"], "cluster", "viewer", "--out", _folder["file"]);
    }

    /// <summary>A folder is in the place of the record, so that it cannot be replaced.</summary>
    [Theory]
    [InlineData("viewers", "cluster viewer --out {0}/page")]
    [InlineData("denied", "cluster revoke viewer --viewer --yes --node 127.0.0.1:1")]
    [InlineData("denied", "cluster revoke n1 --yes --node 127.0.0.1:1")]
    [InlineData("authority.key", "cluster revoke n1 --yes --node 127.0.0.1:1")]
    public async Task A_record_that_cannot_be_written_or_read_is_named(string record, string command)
    {
        File.Delete(_folder[$"cluster/{record}"]);
        Directory.CreateDirectory(_folder[$"cluster/{record}"]);
        await SaysAsync(
            ExitCode.Storage, _folder[$"cluster/{record}"],
            string.Format(null, command, _folder.Path).Split(' '));
    }

    [Theory]
    [InlineData("cluster.json", "invite-user")]
    [InlineData("cluster.json", "invite --node 127.0.0.1:1")]
    [InlineData("cluster.json", "viewer --out {0}/page")]
    [InlineData("cluster.json", "revoke n1 --yes --node 127.0.0.1:1")]
    [InlineData("cluster.json", "renew n1 --node 127.0.0.1:1")]
    [InlineData("secret", "invite-user")]
    [InlineData("issued", "revoke n1 --yes --node 127.0.0.1:1")]
    [InlineData("authority.crt", "viewer --out {0}/page")]
    public async Task A_damaged_file_of_the_cluster_is_named(string file, string command)
    {
        await File.WriteAllTextAsync(_folder[$"cluster/{file}"], "n2 nonsense\n");
        string[] words = ["cluster", .. string.Format(null, command, _folder.Path).Split(' ')];
        await SaysAsync(ExitCode.Damaged, file == "authority.crt" ? "authority" : _folder[$"cluster/{file}"], words);
    }

    [Fact]
    public async Task A_secret_that_is_gone_is_named()
    {
        File.Delete(_folder["cluster/secret"]);
        await SaysAsync(ExitCode.Damaged, _folder["cluster/secret"], "cluster", "invite-user");
    }

    [Fact]
    public async Task A_certificate_that_is_not_there_cannot_be_renewed() =>
        await SaysAsync(ExitCode.Usage, "--file", "cluster", "renew", "--file", _folder["typo.crt"]);

    [Theory]
    [InlineData("run --data ")]
    [InlineData("ready --data ")]
    [InlineData("ring --data ")]
    [InlineData("cluster init --data ")]
    [InlineData("cluster viewer --data {0} --out ")]
    [InlineData("cluster renew --data {0} --file ")]
    public async Task A_folder_without_a_name_is_refused(string command)
    {
        var words = string.Format(null, command, _folder.Path).Split(' ');
        await SaysAsync(ExitCode.Usage, $"{words[^2]} is empty", words);
    }

    private async Task SaysAsync(ExitCode code, string text, params string[] words)
    {
        using var error = new StringWriter();
        string[] data = words.Contains("--data") ? [] : ["--data", _folder.Path];
        var ended = await CommandLine.RunAsync([.. words, .. data], RunCommand.Create(), error);
        Assert.True(ended == (int)code, $"{(ExitCode)ended}: {error}");
        Assert.Contains(text, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("report it", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.ToString(), StringComparison.Ordinal);
    }
}
