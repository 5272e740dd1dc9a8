using ChordChat.Node.Base;

namespace ChordChat.Node.Storage;

/// <summary>The node's database, which is open already, and the room on its volume.</summary>
internal static class StorageServices
{
    public static IServiceCollection AddStorage(
        this IServiceCollection services, string folder, NodeDatabase database, RunTable runs,
        IConfiguration settings) =>
        services
            .AddSingleton(database)
            .AddSingleton(runs)
            .AddSingleton(StorageOptions.Of(settings))
            .AddSingleton<VolumeProbe>(() => VolumeSpace.Of(folder))
            .AddLoop<DiskRoom>();
}
