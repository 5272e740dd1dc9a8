using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>How this node finds others and is found.</summary>
internal static class DiscoveryServices
{
    public static IServiceCollection AddDiscovery(this IServiceCollection services, string folder) => services
        .AddSingleton<DiscoveredPeers>()
        .AddSingleton<Company>()
        .AddSingleton<ForeignClusters>()
        .AddSingleton<BeaconHearing>()
        .AddSingleton<DiscoveryLog>()
        .AddSingleton(new RememberedPeers(folder))
        .AddLoop<BeaconService>()
        .AddLoop<SeedService>()
        .AddLoop<WaitingNotice>();
}
