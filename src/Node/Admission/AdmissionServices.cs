using ChordChat.Node.Hosting;

namespace ChordChat.Node.Admission;

/// <summary>Who this node is, whom it trusts, and how others get in.</summary>
internal static class AdmissionServices
{
    public static IServiceCollection AddAdmission(
        this IServiceCollection services, NodeIdentity identity, ClusterTls tls) =>
        services
            .AddSingleton(identity)
            .AddSingleton(identity.Genesis)
            .AddSingleton(identity.Trust)
            .AddSingleton(tls)
            .AddSingleton<DiskGuard>()
            .AddSingleton<DiskWord>()
            .AddLoop<DiskMemory>()
            .AddSingleton<Denials>()
            .AddLoop<Renewal>()
            .AddSingleton<Invites>();
}
