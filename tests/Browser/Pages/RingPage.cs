using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ChordChat.Tests.Browser.Pages;

/// <summary>The visualizer's page as a person sees it. Knows nothing of where the ring behind it comes from.</summary>
internal sealed class RingPage : IAsyncDisposable
{
    /// <summary>Colours fade for 0.8 s; a picture in between shows neither before nor after.</summary>
    private const string FadesEnd = """
        Promise.all(document.getAnimations()
          .filter(animation => animation.effect.getTiming().iterations === 1)
          .map(animation => animation.finished.catch(() => {})))
        """;

    private readonly IBrowserContext _context;
    private readonly string _url;

    public RingPage(IBrowserContext context, IPage page, string url)
    {
        (_context, Page, _url) = (context, page, url);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    /// <summary>What the browser complained of: script errors, blocked content.</summary>
    public List<string> Complaints { get; } = [];

    public List<string> Requests { get; } = [];

    public ILocator Nodes => Page.Locator("#ring [data-node]");

    public ILocator Eyes => Page.Locator("#eyes");

    public ILocator Banner => Page.Locator("#banner");

    public ILocator Events => Page.Locator("#events");

    /// <summary>The open card of the selected node.</summary>
    public ILocator Card => Page.Locator("#node-card");

    public ILocator Node(string name) => Page.Locator($"#ring [data-node='{name}']");

    /// <summary>The owners' band: one arc a tile.</summary>
    public ILocator Tiles(string? owner = null) =>
        Page.Locator(owner is null ? "#ring .tile.track-0" : $"#ring .tile.track-0[data-owner='{owner}']");

    public Task SelectAsync(string node) => Node(node).Locator(".hit").ClickAsync();

    public Task GoAsync() => Page.GotoAsync(_url, new PageGotoOptions { WaitUntil = WaitUntilState.DOMContentLoaded });

    public Task SeesAsync(string node, string state, int withinMs = 5000) =>
        Expect(Node(node)).ToHaveClassAsync(new Regex($@"\bis-{state}\b"), new() { Timeout = withinMs });

    public Task LooksThroughAsync(string node, int withinMs = 5000) =>
        Expect(Eyes).ToContainTextAsync($"through {node} at", new() { Timeout = withinMs });

    public async Task LookUpAsync(string name)
    {
        await Page.FillAsync("#lookup-name", name);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Keeps a picture under artifacts/browser of the repository.</summary>
    public async Task ShootAsync(string name, bool whole = false)
    {
        await Page.EvaluateAsync(FadesEnd);
        var path = Path.Combine(Artifacts, $"{name}.png");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = whole });
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private static string Artifacts { get; } = Path.Combine(Root(), "artifacts", "browser");

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ChordChat.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no ChordChat.sln above");
        return folder;
    }
}
