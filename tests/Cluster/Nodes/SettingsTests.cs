using System.Collections.Concurrent;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Tests.Unit.Base;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md#the-same-at-all-nodes and "Looking at it", with real nodes.</summary>
public sealed class SettingsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<string, string?> ByInvitation = new()
    {
        ["Chat:Registration"] = "Invitation",
        ["Ages:MessageAge"] = "20.00:00:00",
        ["multicast"] = "false",
        ["seed"] = "127.0.0.1:1",
    };

    [Fact]
    public async Task A_node_that_joins_gets_the_settings_of_the_cluster()
    {
        await using var cluster = await NodeCluster.StartAsync(2, ByInvitation);
        var identity = cluster.Enrol("n3");
        var (folder, address) = (cluster.DataOf("n3"), cluster.AddressOf("n1"));
        var told = await ClusterSettingsFile.AskAsync(identity, address, Patience, CancellationToken.None);

        var said = Assert.Single(ClusterSettingsFile.Write(folder, address, told));

        Assert.Contains("Chat:Registration Invitation", said, StringComparison.Ordinal);
        var settings = NodeSettings.Layer(folder, new Dictionary<string, string?>());
        Assert.Equal("Invitation", settings["Chat:Registration"]);
        Assert.Empty(cluster["n1"].Services.GetRequiredService<ClusterSettings>().Compare(
            ClusterSettings.Of(Preset.Lan, settings).Values));
        var problems = new List<string>();
        NodeSettings.Read(folder, settings, problems);
        Assert.Empty(problems);

        // What somebody has written there himself stays.
        Assert.Contains("left as it is", Assert.Single(ClusterSettingsFile.Write(folder, address, told)));
    }

    [Fact]
    public async Task Nodes_that_have_it_otherwise_say_so_at_both_ends_and_the_doctor_shows_it()
    {
        var logs = new ConcurrentDictionary<string, LogLines<SettingNews>>();
        await using var cluster = await NodeCluster.StartAsync(2, ByInvitation, others: (folder, services) =>
        {
            var name = Path.GetFileName(folder);
            services.AddSingleton<ILogger<SettingNews>>(logs[name] = new((_, _, text) => text));
            if (name == "n2")
                services.AddSingleton(ClusterSettings.Default);
        });

        await Condition.UntilAsync("both have said it", Patience, () => Task.FromResult(
            logs.Values.All(lines => lines.Said.Any(line => line.Contains(
                "Chat:Registration is", StringComparison.Ordinal)))));
        Assert.Contains("n2 has other settings", Assert.Single(logs["n1"].Said), StringComparison.Ordinal);
        Assert.Contains(
            "Chat:Registration is Invitation there and Open here", Assert.Single(logs["n2"].Said),
            StringComparison.Ordinal);

        var text = $"Chat:Registration is Invitation here and Open at {cluster.AddressOf("n2")}";
        List<Finding> findings = [];
        await Condition.UntilAsync("n1's folder remembers n2, and the doctor asks it", Patience, async () =>
        {
            findings = await FindingsAsync(cluster.DataOf("n1"));
            return findings.Any(finding => finding is { What: "settings", Verdict: Verdict.Warn }
                && finding.Text.Contains(text, StringComparison.Ordinal));
        });
        // What the running node was told: its folder says nothing of it.
        Assert.Contains(findings, finding => finding is { What: "multicast", Text: "off; there are seeds" });
        Assert.Contains(findings, finding => finding.What == "port" && finding.Text.Contains(
            cluster.AddressOf("n1"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_doctor_of_a_node_that_is_off_hears_from_others_that_it_was_revoked()
    {
        await using var cluster = Founded.Of(2);
        var n1 = await cluster.StartAsync("n1");
        var off = cluster.Cluster.NodeFolder("n2");
        File.WriteAllText(Path.Combine(off, "appsettings.json"), $$"""
            { "multicast": false, "seed": ["{{n1.Node.Self.Address}}"] }
            """);
        Assert.Contains(await FindingsAsync(off), finding => finding is { What: "certificate", Verdict: Verdict.Ok });
        using var authority = cluster.Cluster.OpenAuthority();
        cluster.Cluster.Deny(authority, cluster.Cluster.NodesToDeny("n2", DateTimeOffset.UtcNow));
        n1.Services.GetRequiredService<Denials>().Take(cluster.Cluster.SignedDenyList()!);

        var finding = Assert.Single(await FindingsAsync(off), finding => finding.What == "certificate");

        Assert.Equal(Verdict.Fail, finding.Verdict);
        Assert.Contains("revoked by the operator", finding.Text, StringComparison.Ordinal);
    }

    private static async Task<List<Finding>> FindingsAsync(string data)
    {
        var findings = new List<Finding>();
        await foreach (var finding in DoctorCommand.CheckAsync(data, CancellationToken.None))
            findings.Add(finding);
        return findings;
    }
}
