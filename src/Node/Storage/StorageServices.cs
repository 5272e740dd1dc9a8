using ChordChat.Node.Hosting;

namespace ChordChat.Node.Storage;

/// <summary>The node's folder and its database, which are open already.</summary>
internal static class StorageServices
{
    public static IServiceCollection AddStorage(
        this IServiceCollection services, DataFolder folder, IConfiguration settings) => services
        .AddSingleton(folder)
        .AddSingleton(folder.Database)
        .AddSingleton(folder.Runs)
        .AddSingleton(StorageOptions.Of(settings))
        .AddSingleton<VolumeProbe>(() => VolumeSpace.Of(folder.Path))
        .AddLoop<DiskRoom>();
}
