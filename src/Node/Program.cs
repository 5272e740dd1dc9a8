using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Commands;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using ChordChat.Node.View;

namespace ChordChat.Node;

/// <summary>The program, and the map of what a running node is made of.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => CommandLine.RunAsync(args, RunCommand.Create());

    /// <summary>Puts a node together: each folder adds its own services, then what it answers on the node's
    /// port.</summary>
    /// <param name="others">Puts services in the place of these: tests do.</param>
    public static WebApplication Build(
        NodeOptions options, IConfiguration settings, DataFolder folder, LocalNode node, ListenSockets sockets,
        Action<IServiceCollection>? others = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        var tls = new ClusterTls(folder.Identity);
        builder.WebHost.UseNodePort(sockets, tls, folder.Identity.Trust);
        builder.Services
            .AddSingleton(TimeProvider.System)
            .AddStorage(folder.Path, folder.Database, folder.Runs, settings)
            .AddIdentity(folder, node, tls)
            .AddDiscovery(folder.Path)
            .AddLinks()
            .AddRing(settings)
            .AddTiles(settings)
            .AddChat(settings)
            .AddView(settings)
            .AddOperations(options, settings);
        others?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseHealthPort(sockets.Health);
        app.UseStopGrace();
        app.UseRouting();
        app.UseGate();
        app.Use(app.Services.GetRequiredService<WholeBodies>().InvokeAsync);
        app.Use(app.Services.GetRequiredService<UnreadAnswers>().InvokeAsync);
        app.Use(app.Services.GetRequiredService<HealthWatchers>().InvokeAsync);
        app.MapHealth();
        app.MapOperator();
        app.MapAdmission();
        app.MapRecovery();
        app.MapLinks();
        app.MapRing();
        app.MapChat();
        app.MapView();
        app.MapStandardServices();
        return app;
    }
}
