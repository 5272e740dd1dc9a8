using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;

namespace ChordChat.Node.View;

/// <summary>What pages are shown.</summary>
internal static class ViewServices
{
    public static IServiceCollection AddView(this IServiceCollection services, IConfiguration settings) => services
        .AddSingleton(settings.GetSection("View").Get<ViewOptions>() ?? new())
        .AddSingleton<Watchers>()
        .AddSingleton<SelfPortrait>()
        .AddSingleton<SelfDescription>(made => made.GetRequiredService<SelfPortrait>().DrawAsync)
        .AddLoop<ClusterPicture>();

    public static void MapView(this WebApplication app) =>
        app.MapGrpcService<ViewService>().OpenTo(Callers.Everybody);
}
