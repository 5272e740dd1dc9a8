using ChordChat.Tests.Browser.Fakes;
using ChordChat.Tests.Browser.Pages;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser;

[Collection(nameof(Chromium))]
public sealed class RingTests(Chromium chromium)
{
    private static readonly string[] People = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];

    [ChromiumFact]
    public async Task Five_nodes_are_seen_with_all_tiles_in_their_owners_colours()
    {
        await using var cluster = await FakeCluster.StartAsync(5, People);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);

        await Expect(page.Nodes).ToHaveCountAsync(5);
        foreach (var node in cluster.SnapshotFor("n1").Nodes)
        {
            await page.SeesAsync(node.Name, "alive");
            await Expect(page.Tiles(node.Name)).ToHaveCountAsync((int)(node.OwnRecords / 11));
        }

        await Expect(page.Tiles()).ToHaveCountAsync(128);
        await Expect(page.Page.Locator("#people .chip")).ToHaveTextAsync(People);
        await page.LooksThroughAsync("n1");
        Assert.Empty(page.Complaints);
    }

    [ChromiumFact]
    public async Task A_killed_node_is_shown_dead_and_its_tiles_with_others()
    {
        await using var cluster = await FakeCluster.StartAsync(5, People);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await Expect(page.Nodes).ToHaveCountAsync(5);

        await cluster.KillAsync("n4");
        await page.SeesAsync("n4", "dead");
        await Expect(page.Tiles("n4")).ToHaveCountAsync(0);

        await Expect(page.Events).ToContainTextAsync("n4 is dead");
        await Expect(page.Events).ToContainTextAsync("tiles moved");
        await page.ShootAsync("killed");
    }

    [ChromiumFact]
    public async Task A_node_that_joins_is_shown_with_its_people()
    {
        await using var cluster = await FakeCluster.StartAsync(4);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n2"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await Expect(page.Nodes).ToHaveCountAsync(4);

        await cluster.JoinAsync("n5", "zoe");
        await page.SeesAsync("n5", "alive");
        await Expect(page.Page.Locator("#people")).ToContainTextAsync("zoe");

        await Expect(page.Events).ToContainTextAsync("n5 joined");
    }

    [ChromiumTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_the_watched_node_falls_silent_the_same_page_sees_through_another(bool frozen)
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n2"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await page.LooksThroughAsync("n2");
        await page.SeesAsync("n2", "alive");
        await page.Page.EvaluateAsync("window.opened = 1");

        if (frozen)
            cluster.Freeze("n2");
        else
            await cluster.StopAsync("n2");
        await page.SeesAsync("n2", "suspect"); // The ring has not noticed yet; the visualizer has.
        await Expect(page.Eyes).Not.ToContainTextAsync("through n2");

        await Expect(page.Eyes).ToContainTextAsync("Live");
        await Expect(page.Events).ToContainTextAsync("n2 stopped answering");
        Assert.Equal(1, await page.Page.EvaluateAsync<int>("window.opened"));
    }

    [ChromiumFact]
    public async Task A_lookup_is_drawn_hop_by_hop_with_reasons()
    {
        await using var cluster = await FakeCluster.StartAsync(5, People);
        cluster.Imagine(24);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        var trace = FakeRing.Trace(cluster.Members, "n1", "carol");
        Assert.True(trace.Hops.Count > 2, "the example should need more than one hop");

        await page.LookUpAsync("carol");
        await Expect(page.Page.Locator(".answer")).ToContainTextAsync($"tile {trace.Tile}");

        await Expect(page.Page.Locator(".hops b")).ToHaveTextAsync(trace.Hops.Select(hop => hop.Name));
        await Expect(page.Page.Locator(".hops .why").Nth(1)).ToContainTextAsync(trace.Hops[1].Why);
        await Expect(page.Page.Locator("#ring .hop")).ToHaveCountAsync(trace.Hops.Count - 1);
        await Expect(page.Page.Locator("#ring .key-label")).ToHaveTextAsync("carol");
        await page.ShootAsync("lookup");

        await page.LookUpAsync("no such name");
        await Expect(page.Page.Locator(".problem")).ToHaveTextAsync("n1 says: \"A name has no spaces.\"");
        await Expect(page.Page.Locator("#ring .hop")).ToHaveCountAsync(0);
    }

    /// <summary>A lying node may invent names without end: 8,200 of them were shown, and are gone.</summary>
    [ChromiumFact]
    public async Task Names_that_are_gone_give_their_colours_back()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await page.LooksThroughAsync("n1");

        var colours = await page.Page.EvaluateAsync<string[]>("""
            async () => {
              const { modelOf } = await import('/js/model.js');
              const node = (name, i) => ({
                name, position: i.toString(16).padStart(32, '0'), successors: [], fingers: [], users: [] });
              const coloursOf = names => modelOf({ nodes: names.map(node), tiles: [], events: [] })
                .named.map(shown => shown.colour);
              coloursOf(['n5']);
              for (let round = 0; round < 82; round++)
                coloursOf(['n5', ...Array.from({ length: 100 }, (_, i) => `liar-${round}-${i}x`)]);
              return coloursOf(['n5', 'unheard-of']);
            }
            """);

        Assert.Equal(["var(--node-5)", "var(--node-1)"], colours);
    }

    [ChromiumFact]
    public async Task A_keyboard_is_enough_to_open_a_node()
    {
        await using var cluster = await FakeCluster.StartAsync(5, People);
        await using var visualizer = await RunningVisualizer.StartAsync(cluster.AddressOf("n1"));
        await using var page = await chromium.OpenAsync(visualizer.Url);
        await Expect(page.Nodes).ToHaveCountAsync(5);

        await page.Node("n2").FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowRight");
        var clockwise = cluster.SnapshotFor("n1").Nodes.OrderBy(node => node.Position, StringComparer.Ordinal).ToList();
        var next = clockwise[(clockwise.FindIndex(node => node.Name == "n2") + 1) % 5];
        await Expect(page.Node(next.Name)).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Enter");

        await Expect(page.Node(next.Name)).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(page.Card).ToContainTextAsync(next.Address);
        await Expect(page.Card.Locator(".trio dd")).ToHaveTextAsync(
            [$"{next.OwnRecords}", $"{next.BackupRecords}", $"{next.Sessions}"]);
        await Expect(page.Page.Locator("#ring .finger")).Not.ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#ring .tile.track-0.mine")).ToHaveCountAsync((int)(next.OwnRecords / 11));
        await Expect(page.Page.Locator("#ring .backup.mine")).ToHaveCountAsync((int)(next.BackupRecords / 11));

        await page.Page.Keyboard.PressAsync("Escape");
        await Expect(page.Card).ToBeHiddenAsync();
    }
}
