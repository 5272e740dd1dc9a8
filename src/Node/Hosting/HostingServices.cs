using Serilog;

namespace ChordChat.Node.Hosting;

/// <summary>Logging, stopping, gRPC itself and who this node is.</summary>
internal static class HostingServices
{
    private const int MessageBytesMax = 4 << 20;
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(8);

    public static IServiceCollection AddHosting(
        this IServiceCollection services, NodeOptions options, LocalNode node, IConfiguration settings)
    {
        services
            .AddSingleton(options)
            .AddSingleton(node)
            .AddSingleton(ClusterSettings.Of(options.Preset, settings))
            .AddSingleton(new GivenSettings(settings))
            .AddLogging(logging => logging.ClearProviders().AddSerilog(OperatorLog.Create(options), dispose: true))
            .Configure<HostOptions>(host => host.ShutdownTimeout = StopMax)
            .AddSingleton<IHostLifetime, NoSignals>()
            .AddSingleton<Departure>()
            .AddHostedService<StartAnnouncer>()
            .AddRoutingCore()
            .AddHealth()
            .AddGrpcReflection()
            .AddGrpc(grpc => grpc.MaxReceiveMessageSize = MessageBytesMax);
        return services;
    }
}
