using System.Net;
using ChordChat.Tests.Browser.Fakes;
using ChordChat.Tests.Browser.Pages;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser;

[Collection(nameof(Chromium))]
public sealed class ConnectionTests(Chromium chromium)
{
    /// <summary>Sizes are observed in the first frame, and what they change is drawn in the next.</summary>
    private const string FewFrames = """
        async () => {
          for (let i = 0; i < 5; i++)
            await new Promise(drawn => requestAnimationFrame(drawn));
        }
        """;

    [ChromiumFact]
    public async Task Without_a_node_the_page_says_how_to_start_one_and_finds_it_by_itself()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        var address = cluster.AddressOf("n1");
        await cluster.StopAsync("n1");
        await using var visualizer = await RunningVisualizer.StartAsync(address, cluster.AddressOf("n2"));
        cluster.Freeze("n2");
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await Expect(page.Page.Locator("#empty")).ToContainTextAsync("No node answers");
        await Expect(page.Page.Locator("#empty")).ToContainTextAsync("./startup.sh");
        await page.ShootAsync("empty");

        cluster.Thaw("n2");

        await page.LooksThroughAsync("n2");
        await Expect(page.Page.Locator("#empty")).ToBeHiddenAsync();
    }

    [ChromiumFact]
    public async Task When_all_nodes_are_gone_the_last_ring_stays_under_a_banner()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await page.LooksThroughAsync("n1");

        await cluster.StopAsync("n1");
        await cluster.StopAsync("n2");

        await Expect(page.Banner).ToContainTextAsync("No node answers any more");
        await Expect(page.Nodes).ToHaveCountAsync(2);
    }

    [ChromiumFact]
    public async Task A_visualizer_that_was_restarted_is_found_again_by_the_open_page()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        var first = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(first.Url);
        await page.LooksThroughAsync("n1");

        await first.DisposeAsync();
        await Expect(page.Banner).ToContainTextAsync("The visualizer itself does not answer");
        await using var second = await RunningVisualizer.StartAtAsync(new Uri(first.Url).Port, cluster.AddressOf("n2"));

        await page.LooksThroughAsync("n2");
        await Expect(page.Banner).ToBeHiddenAsync();
    }

    [ChromiumFact]
    public async Task Until_the_first_answer_may_have_come_the_page_does_not_say_that_none_comes()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        var answering = new TaskCompletionSource();
        await using var page = await chromium.OpenAsync(visualizer.Url, prepares: page => page.RouteAsync(
            "**/feed", async route =>
            {
                await answering.Task;
                await route.ContinueAsync();
            }));
        await page.Page.EvaluateAsync(FewFrames);
        await Expect(page.Banner).ToBeHiddenAsync();
        await Expect(page.Eyes).ToContainTextAsync("Connecting");

        answering.SetResult();

        await page.LooksThroughAsync("n1");
    }

    [ChromiumFact]
    public async Task A_feed_that_fell_silent_is_opened_again()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        var isSilent = true;
        await using var page = await chromium.OpenAsync(visualizer.Url, prepares: async page =>
        {
            await page.Clock.InstallAsync();
            await page.RouteAsync("**/feed", route => isSilent ? Task.CompletedTask : route.ContinueAsync());
        });
        await Expect(page.Eyes).ToContainTextAsync("Connecting");
        await page.Page.Clock.RunForAsync(7_500);
        await Expect(page.Banner).ToContainTextAsync("The visualizer itself does not answer");

        isSilent = false;
        await page.Page.Clock.RunForAsync(7_500);

        await page.LooksThroughAsync("n1");
        await Expect(page.Banner).ToBeHiddenAsync();
    }

    [ChromiumFact]
    public async Task A_node_of_another_cluster_is_not_shown_once_one_was_seen()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        await using var other = await FakeCluster.StartAsync(1);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"), other.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await Expect(page.Eyes).ToContainTextAsync(cluster.AddressOf("n1"));

        await cluster.StopAsync("n1");

        await Expect(page.Banner).ToContainTextAsync("another cluster");
        await Expect(page.Eyes).Not.ToContainTextAsync(other.AddressOf("n1"));
    }

    [ChromiumFact]
    public async Task Nothing_comes_from_outside_and_scripts_of_others_are_refused()
    {
        await using var cluster = await FakeCluster.StartAsync(3, "alice");
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await page.LooksThroughAsync("n1");
        await page.LookUpAsync("alice");
        await Expect(page.Page.Locator(".answer")).ToBeVisibleAsync();

        Assert.All(page.Requests, url => Assert.StartsWith(visualizer.Url, url, StringComparison.Ordinal));
        Assert.Empty(page.Complaints);

        using var http = new HttpClient { BaseAddress = new Uri(visualizer.Url) };
        using var answer = await http.GetAsync("/");
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        using var bent = new HttpRequestMessage(HttpMethod.Get, "/feed") { Headers = { Host = "elsewhere.example" } };
        using var refused = await http.SendAsync(bent);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, refused.StatusCode);
        Assert.Equal("ok\n", await http.GetStringAsync("/healthz"));
    }
}
