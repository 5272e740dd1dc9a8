using Microsoft.Playwright;
using Xunit;

namespace ChordChat.Tests.Browser.Pages;

/// <summary>One headless browser for all tests; each page it opens is a person of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    public const string Path = "/usr/bin/chromium";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (!File.Exists(Path))
            return; // Every test that needs it is skipped, and says so.
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Path,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.CloseAsync();
        _playwright?.Dispose();
    }

    /// <param name="still">Whether this person asked for less motion.</param>
    /// <param name="prepares">Done before the page is loaded.</param>
    internal async Task<RingPage> OpenAsync(
        string url, int width = 1280, bool dark = false, bool still = false, Func<IPage, Task>? prepares = null)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 860 },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = still ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
        });
        context.SetDefaultTimeout(5000);
        var page = new RingPage(context, await context.NewPageAsync(), url);
        if (prepares is not null)
            await prepares(page.Page);
        await page.GoAsync();
        return page;
    }
}

[CollectionDefinition(nameof(Chromium))]
public sealed class ChromiumTests : ICollectionFixture<Chromium>;

/// <summary>A test that needs Debian's chromium, and is skipped where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute() => Skip = File.Exists(Chromium.Path) ? null : $"{Chromium.Path} is not installed";
}

/// <inheritdoc cref="ChromiumFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumTheoryAttribute : TheoryAttribute
{
    public ChromiumTheoryAttribute() => Skip = File.Exists(Chromium.Path) ? null : $"{Chromium.Path} is not installed";
}
