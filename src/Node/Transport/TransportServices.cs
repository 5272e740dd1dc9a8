using ChordChat.Node.Admission;
using ChordChat.Node.Chat;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Transport;

/// <summary>Connections to other nodes and what travels on them.</summary>
internal static class TransportServices
{
    public static IServiceCollection AddTransport(this IServiceCollection services) => services
        .AddSingleton<PeerChannels>()
        .AddSingleton<DenyListNews>()
        .AddSingleton<SettingNews>()
        .AddSingleton<RingCalls>()
        .AddSingleton<CallersInLine>()
        .AddSingleton<RingPaces>()
        .AddSingleton<LinkHandshake>()
        .AddSingleton<OpenLinks>()
        .AddSingleton<PeerLinks>()
        .AddLoop<Vouching>()
        .AddLoop<DenyListSpreader>()
        .AddSingleton<SessionShowing>()
        .AddSingleton<AccountLanes>()
        .AddSingleton<ReplicaCalls>()
        .AddSingleton<PeerRefusals>()
        .AddSingleton<PeerChatAnswers>()
        .AddSingleton<IPeerChat, PeerChatLink>()
        .AddSingleton<CallHandler>();

    public static void MapTransport(this WebApplication app)
    {
        app.MapGrpcService<RingService>().OpenTo(Callers.Members);
        app.MapGrpcService<LinkService>().OpenTo(Callers.Members);
        app.MapGrpcService<ChatService>().OpenTo(Callers.Everybody);
    }
}
