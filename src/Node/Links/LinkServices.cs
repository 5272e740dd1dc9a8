namespace ChordChat.Node.Links;

/// <summary>Connections to other nodes, and what keeps connections of anybody within bounds.</summary>
internal static class LinkServices
{
    /// <summary>Needs in the container what the rooms above say: <see cref="PeerBook"/> and
    /// <see cref="CallAnswerer"/>.</summary>
    public static IServiceCollection AddLinks(this IServiceCollection services) => services
        .AddSingleton<PeerChannels>()
        .AddSingleton<LinkHandshake>()
        .AddSingleton<OpenLinks>()
        .AddSingleton<PeerLinks>()
        .AddSingleton<PeerRefusals>()
        .AddSingleton(DescriptorLimit.OfThisProcess())
        .AddSingleton<MemberAddresses>()
        .AddSingleton<WholeBodies>()
        .AddSingleton<UnreadAnswers>();

    public static void MapLinks(this WebApplication app) => app.MapGrpcService<LinkService>().OpenTo(Callers.Members);
}
