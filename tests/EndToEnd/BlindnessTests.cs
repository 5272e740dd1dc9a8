using System.Text;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>An operator who reads every disk, log and packet learns no text, password or key.</summary>
public sealed class BlindnessTests(OverheardConversation overheard) : IClassFixture<OverheardConversation>
{
    private readonly LocalCluster _cluster = overheard.Cluster;

    [Fact]
    public void The_search_finds_every_secret_in_every_form()
    {
        var planted = Path.Combine(_cluster.Home, "nodes", "n2", "planted");
        try
        {
            FindPlanted(planted);
        }
        finally
        {
            File.Delete(planted);
        }
    }

    [Fact]
    public void Nothing_that_nodes_keep_or_log_tells_what_was_said_or_by_which_key()
    {
        var kept = Path.Combine(_cluster.Home, "nodes");
        Assert.NotEmpty(Secret.Find([Secret.Of("a name, which nodes do know,", "alice")], kept));

        Assert.Empty(Secret.Find(overheard.Secrets, kept, Path.Combine(_cluster.Home, "run")));
    }

    [CaptureFact]
    public void Nothing_that_was_captured_tells_it_either()
    {
        var traffic = overheard.Capture!.File;
        Assert.NotEmpty(Secret.Find([overheard.Spoken], traffic));
        // The handshakes with n1 alone are more than that; without them nothing was heard.
        Assert.True(new FileInfo(traffic).Length > 50_000, "hardly any traffic was captured");

        Assert.Empty(Secret.Find(overheard.Secrets, traffic));
    }

    [Fact]
    public async Task A_profile_shows_them_to_its_owner_only()
    {
        Assert.Empty(Secret.Find(overheard.Secrets, Path.Combine(_cluster.Home, "profiles")));

        var history = await new Person(_cluster, "bob").RunAsync(["history", "alice"]);
        var shown = Path.Combine(_cluster.Home, "shown");
        await File.WriteAllTextAsync(shown, history.Output);
        Assert.NotEmpty(Secret.Find([overheard.FirstText], shown));
    }

    private void FindPlanted(string planted)
    {
        foreach (var secret in overheard.Secrets)
            foreach (var (name, bytes) in secret.Forms())
            {
                File.WriteAllBytes(planted, [7, 7, 7, .. bytes, 7, 7]);
                var found = Secret.Find([secret], Path.Combine(_cluster.Home, "nodes"));
                Assert.Contains($"{secret.What} {name} in {planted}", found);
                Assert.All(found, place => Assert.EndsWith(planted, place, StringComparison.Ordinal));
            }

        var text = Encoding.UTF8.GetString(overheard.FirstText.Bytes);
        for (var before = 0; before < 3; before++)
        {
            File.WriteAllText(planted, Convert.ToBase64String(
                Encoding.UTF8.GetBytes($"{new string('y', before)}{text} and more")));
            Assert.Single(Secret.Find([overheard.FirstText], planted));
        }
    }
}
