using System.Net;
using ChordChat.Visualizer.Feed;
using ChordChat.Visualizer.Finding;
using ChordChat.Visualizer.Pages;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChordChat.Visualizer.Hosting;

/// <summary>Puts the parts together; the program and the tests start the same.</summary>
internal static class VisualizerHost
{
    private const int ConnectionsMax = 512;

    public static WebApplication Build(VisualizerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            WebRootPath = Path.Combine(AppContext.BaseDirectory, "wwwroot"),
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services
            .AddSingleton(options)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<NodeFinder>()
            .AddSingleton<RingFeed>()
            .AddHostedService(services => services.GetRequiredService<RingFeed>());
        var app = builder.Build();
        app.UsePageHeaders(options);
        app.UseDefaultFiles();
        app.UseStaticFiles();
        app.MapGet("/feed", FeedPage.ServeAsync);
        app.MapGet("/trace", TracePage.AnswerAsync);
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        return app;
    }

    /// <summary>Where the page is, once the host has started.</summary>
    public static string UrlOf(WebApplication app, VisualizerOptions options)
    {
        var bound = app.Urls.First();
        return $"http://{(options.IsLoopback ? "localhost" : options.Listen)}:{new Uri(bound).Port}";
    }

    private static void Listen(KestrelServerOptions kestrel, VisualizerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
        if (options.Listen == "localhost" && options.Port != 0)
            kestrel.ListenLocalhost(options.Port);
        else
            kestrel.Listen(options.Listen switch
            {
                "localhost" => IPAddress.Loopback,
                "*" => IPAddress.Any,
                var address => IPAddress.Parse(address.Trim('[', ']')),
            }, options.Port);
    }
}
