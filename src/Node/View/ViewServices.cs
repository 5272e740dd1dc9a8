using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.View;

/// <summary>What pages are shown.</summary>
internal static class ViewServices
{
    public static IServiceCollection AddView(this IServiceCollection services, IConfiguration settings) => services
        .AddSingleton(settings.GetSection("View").Get<ViewOptions>() ?? new())
        .AddSingleton<Watchers>()
        .AddSingleton<EventLog>()
        .AddSingleton<SelfPortrait>()
        .AddLoop<ClusterPicture>();

    public static void MapView(this WebApplication app) =>
        app.MapGrpcService<ViewService>().OpenTo(Callers.Everybody);
}
