using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;

namespace ChordChat.Node.Ring;

/// <summary>The ring's loop, its clocks and the walker of lookups. Each clock is a loop of its own:
/// docs/protocol.md#loops.</summary>
internal static class RingServices
{
    public static IServiceCollection AddRing(this IServiceCollection services, IConfiguration settings) => services
        .AddSingleton(made => StartOf(
            made.GetRequiredService<Genesis>(), made.GetRequiredService<LocalNode>(),
            made.GetRequiredService<NodeOptions>().Preset, settings))
        .AddLoop<RingDriver>()
        .AddSingleton<PeerBook>(made => BookOf(made.GetRequiredService<RingDriver>()))
        .AddSingleton<DenyListNews>()
        .AddSingleton<SettingNews>()
        .AddSingleton<RingCalls>()
        .AddSingleton<CallersInLine>()
        .AddSingleton<RingPaces>()
        .AddSingleton<Lookups>()
        .AddLoop<StabilizeTimer>()
        .AddLoop<ProbeTimer>()
        .AddLoop<FingerTimer>()
        .AddLoop<PauseWatch>()
        .AddLoop<RingAuditor>()
        .AddLoop<Introductions>()
        .AddLoop<MemberReports>()
        .AddLoop<Vouching>()
        .AddLoop<DenyListSpreader>();

    public static void MapRing(this WebApplication app) => app.MapGrpcService<RingService>().OpenTo(Callers.Members);

    private static PeerBook BookOf(RingDriver ring) => node => ring.Now.Find(node);

    private static RingStart StartOf(Genesis genesis, LocalNode node, Preset preset, IConfiguration settings)
    {
        var founders = genesis.Founders
            .Where(founder => founder.Node != node.Self.Node)
            .Select(founder => new Peer(founder.Node, founder.Position, founder.Name, ""));
        var ring = settings.GetSection("Ring").Get<RingOptions>() ?? new();
        var membership = Membership(preset, settings.GetSection("Membership"));
        return new(node.Self, node.Incarnation, [.. founders], ring, membership);
    }

    public static MembershipOptions Membership(Preset preset, IConfigurationSection section)
    {
        var membership = (preset is Preset.Wan ? MembershipOptions.Wan : MembershipOptions.Lan) with { };
        section.Bind(membership);
        return membership;
    }
}
