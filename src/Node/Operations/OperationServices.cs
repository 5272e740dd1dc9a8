using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using Grpc.AspNetCore.Server.Model;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serilog;

namespace ChordChat.Node.Operations;

/// <summary>Logging, stopping, gRPC itself and who this node is.</summary>
internal static class OperationServices
{
    /// <summary>Of peers; what everybody may call takes less.</summary>
    private const int MessageBytesMax = 4 << 20;

    /// <summary>Of a client's session: 1 MiB of messages and one more, 16,384 acknowledgements, and the names of a
    /// change of its circle.</summary>
    private const int FrameBytesMax = 1_536 << 10;

    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(8);

    public static IServiceCollection AddOperations(
        this IServiceCollection services, NodeOptions options, IConfiguration settings)
    {
        services
            .AddSingleton(options)
            .AddSingleton(ClusterSettings.Of(options.Preset, settings))
            .AddSingleton<ISharedSettings>(made => made.GetRequiredService<ClusterSettings>())
            .AddSingleton<EventLog>()
            .AddLoop<Renewal>()
            .AddSingleton(new GivenSettings(settings))
            .AddLogging(logging => logging.ClearProviders().AddSerilog(OperatorLog.Create(options), dispose: true))
            .Configure<HostOptions>(host => host.ShutdownTimeout = StopMax)
            .AddSingleton<IHostLifetime, NoSignals>()
            .AddSingleton<Departure>()
            .AddHostedService<StartAnnouncer>()
            .AddRoutingCore()
            .AddHealth()
            .AddGrpcReflection()
            .AddGrpc(grpc => grpc.MaxReceiveMessageSize = MessageBytesMax)
            .AddServiceOptions<ChatService>(chat => chat.MaxReceiveMessageSize = FrameBytesMax);
        return services
            .RemoveAll(typeof(IServiceMethodProvider<>))
            .AddSingleton(typeof(IServiceMethodProvider<>), typeof(StrictMethods<>))
            .AddSingleton<HealthWatchers>();
    }
}
