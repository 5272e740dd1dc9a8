using System.Diagnostics;
using System.Text.RegularExpressions;
using ChordChat.Tests.Browser.Pages;
using ChordChat.Tests.EndToEnd;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser;

/// <summary>The page over a ring of real nodes, as ./startup.sh --local starts them.</summary>
[Collection(nameof(Chromium))]
public sealed class RealRingTests(Chromium chromium)
{
    /// <summary>What README promises.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    [ChromiumFact]
    public async Task Five_real_nodes_a_person_a_lookup_and_a_node_that_is_killed()
    {
        await using var cluster = await LocalCluster.StartAsync(5);
        var alice = new Person(cluster, "alice");
        await alice.RegisterAsync("n1");
        await using var online = alice.Start(["tail"], "n1");
        await using var page = await chromium.OpenAsync(cluster.Page);

        await Expect(page.Nodes).ToHaveCountAsync(5);
        foreach (var name in cluster.Nodes)
            await page.SeesAsync(name, "alive", withinMs: 20_000);
        await Expect(page.Tiles()).ToHaveCountAsync(128);
        await Expect(page.Page.Locator("#people .chip")).ToHaveTextAsync(["alice"], new() { Timeout = 20_000 });

        await page.LookUpAsync("alice");
        await Expect(page.Page.Locator(".answer")).ToBeVisibleAsync();
        await Expect(page.Page.Locator("#ring .key-label")).ToHaveTextAsync("alice");
        await Expect(page.Page.Locator(".hops b").First).ToBeVisibleAsync();
        await page.ShootAsync("real-ring");

        await KillAndSeeAsync(cluster, page);
        Assert.Empty(page.Complaints);
    }

    private static async Task KillAndSeeAsync(LocalCluster cluster, RingPage page)
    {
        var seeing = Regex.Match(await page.Eyes.InnerTextAsync(), "through (n[0-9]+) at").Groups[1].Value;
        var doomed = cluster.Nodes.First(name => name != seeing && name != "n1");

        var watch = Stopwatch.StartNew();
        await cluster.KillAsync(doomed);
        await Expect(page.Node(doomed)).ToHaveClassAsync(
            new Regex(@"\bis-(suspect|dead)\b"), new() { Timeout = 20_000 });
        var seen = watch.Elapsed;
        await page.ShootAsync("real-ring-killed");

        Assert.True(
            seen < Limit, $"{doomed} was shown suspect {seen.TotalSeconds:f1} s after it was killed\n{cluster.Logs()}");
        await Expect(page.Events).ToContainTextAsync(doomed);
    }
}
