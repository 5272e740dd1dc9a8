using System.Text.RegularExpressions;
using ChordChat.Tests.Browser.Pages;
using ChordChat.Tests.EndToEnd;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser;

/// <summary>The page over a ring of real nodes, as ./startup.sh --local starts them. How soon it shows what happens,
/// <c>bench --scenario shown</c> measures.</summary>
[Collection(nameof(Chromium))]
public sealed class RealRingTests(Chromium chromium)
{
    [ChromiumFact]
    public async Task Five_real_nodes_a_person_a_lookup_and_a_node_that_is_killed_and_back()
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

        await KillAndStartAgainAsync(cluster, page);
        Assert.Empty(page.Complaints);
    }

    private static async Task KillAndStartAgainAsync(LocalCluster cluster, RingPage page)
    {
        var seeing = Regex.Match(await page.Eyes.InnerTextAsync(), "through (n[0-9]+) at").Groups[1].Value;
        var doomed = cluster.Nodes.First(name => name != seeing && name != "n1");

        await cluster.KillAsync(doomed);
        await Expect(page.Node(doomed)).ToHaveClassAsync(
            new Regex(@"\bis-(suspect|dead)\b"), new() { Timeout = 20_000 });
        await page.ShootAsync("real-ring-killed");
        await Expect(page.Events).ToContainTextAsync(doomed);

        await cluster.StartupAsync();
        await page.SeesAsync(doomed, "alive", withinMs: 20_000);
    }
}
