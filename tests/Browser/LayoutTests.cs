using ChordChat.Tests.Browser.Fakes;
using ChordChat.Tests.Browser.Pages;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser;

[Collection(nameof(Chromium))]
public sealed class LayoutTests(Chromium chromium)
{
    private static readonly string[] People =
        ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "olivia"];

    [ChromiumTheory]
    [InlineData(1, 1280, false)]
    [InlineData(1, 400, true)]
    [InlineData(2, 1280, true)]
    [InlineData(2, 400, false)]
    [InlineData(5, 1280, false)]
    [InlineData(5, 1280, true)]
    [InlineData(5, 400, false)]
    [InlineData(5, 400, true)]
    [InlineData(12, 1280, false)]
    [InlineData(12, 400, false)]
    [InlineData(40, 1280, false)]
    [InlineData(40, 1280, true)]
    [InlineData(40, 400, true)]
    public async Task Every_ring_fits_and_no_name_covers_another(int nodes, int width, bool dark)
    {
        await using var cluster = await FakeCluster.StartAsync(Math.Min(nodes, 2), People);
        cluster.Imagine(nodes);
        if (nodes == 5)
            cluster.Suspect("n4");
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url, width, dark: dark, still: true);
        await Expect(page.Nodes).ToHaveCountAsync(nodes);

        var scheme = dark ? "dark" : "light";
        await page.ShootAsync($"{nodes}-nodes-{width}-{scheme}");
        var overflow = await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        Assert.True(overflow <= 0, $"{overflow} px wider than the window");
        if (nodes <= 10)
            Assert.Equal("", await page.Page.EvaluateAsync<string>(CoveredNames));

        await page.SelectAsync(nodes == 1 ? "n1" : "n2");
        await Expect(page.Card).ToBeVisibleAsync();
        await page.LookUpAsync("carol");
        await Expect(page.Page.Locator(".answer")).ToBeVisibleAsync();
        await page.ShootAsync($"{nodes}-nodes-{width}-{scheme}-lookup", whole: width == 400);
        Assert.Empty(page.Complaints);
    }

    /// <summary>Pairs of level labels whose boxes meet, and labels that leave the window.</summary>
    private const string CoveredNames = """
        (() => {
          const labels = [...document.querySelectorAll('#ring .label')];
          const all = labels.map(e => [e.textContent, e.getBoundingClientRect()]);
          const bad = all.filter(([, r]) => r.left < 0 || r.right > innerWidth).map(([name]) => `${name} leaves`);
          for (const [i, [a, r]] of all.entries())
            for (const [b, s] of all.slice(i + 1))
              if (r.left < s.right && s.left < r.right && r.top < s.bottom && s.top < r.bottom)
                bad.push(`${a} covers ${b}`);
          return bad.join(', ');
        })()
        """;
}
