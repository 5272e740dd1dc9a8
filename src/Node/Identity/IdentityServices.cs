using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>Who this node is, whom it trusts, and how others get in.</summary>
internal static class IdentityServices
{
    public static IServiceCollection AddIdentity(
        this IServiceCollection services, DataFolder folder, LocalNode node, ClusterTls tls) =>
        services
            .AddSingleton(folder)
            .AddSingleton(node)
            .AddSingleton(folder.Identity)
            .AddSingleton(folder.Identity.Genesis)
            .AddSingleton(folder.Identity.Trust)
            .AddSingleton(tls)
            .AddSingleton<DiskGuard>()
            .AddSingleton<DiskWord>()
            .AddLoop<DiskMemory>()
            .AddSingleton<Denials>()
            .AddSingleton<Invites>();
}
