using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Tiles;

/// <summary>What keeps registers and sets: the replica and its writer, coordinators, stewards, learners.</summary>
internal static class TileServices
{
    public static IServiceCollection AddTiles(
        this IServiceCollection services, IConfiguration settings) => services
        .AddSingleton(made => Patience(
            made.GetRequiredService<NodeOptions>().Preset, made.GetRequiredService<Genesis>(), settings))
        .AddSingleton(made => Directory(made.GetRequiredService<Genesis>()))
        .AddSingleton(made => new BallotSource(
            made.GetRequiredService<LocalNode>().Self.Node, made.GetRequiredService<LocalNode>().Incarnation))
        .AddSingleton<TileBoard>()
        .AddSingleton<AccountLanes>()
        .AddSingleton<ReplicaCalls>()
        .AddSingleton(settings.GetSection("Peers").Get<PeerLimits>() ?? PeerLimits.Default)
        .AddSingleton(Writer)
        .AddSingleton<ConfigurationSearch>()
        .AddLoop<ConfigurationRounds>()
        .AddSingleton<Holders>()
        .AddSingleton<CallerRights>()
        .AddSingleton<NewsWitnesses>()
        .AddSingleton<ConfigurationNews>()
        .AddSingleton(settings.GetSection("Steward").Get<StewardOptions>() ?? StewardOptions.Default)
        .AddSingleton(settings.GetSection("Scrub").Get<ScrubOptions>() ?? new ScrubOptions())
        .AddLoop<Scrubber>()
        .AddSingleton(settings.GetSection("Repair").Get<RepairOptions>() ?? new RepairOptions())
        .AddLoop<RepairLoop>()
        .AddLoop<DisputeLoop>()
        .AddSingleton(made =>
        {
            var ring = made.GetRequiredService<RingDriver>();
            return new NextMembers(
                () => ring.Now.Membership, () => ring.Clock, made.GetRequiredService<CoordinatorOptions>(),
                made.GetRequiredService<StewardOptions>(), made.GetRequiredService<LargeTiles>().IsNearly);
        })
        .AddLoop<LargeTiles>()
        .AddSingleton(settings.GetSection("Ages").Get<RowAges>() ?? RowAges.Default)
        .AddSingleton(settings.GetSection("Collection").Get<CollectionOptions>() ?? new CollectionOptions())
        .AddLoop<HomecomingLoop>()
        .AddLoop<CollectionLoop>()
        .AddLoop<TileTender>()
        .AddSingleton<SafetyOfStopping>()
        .AddSingleton<Replicator>()
        .AddSingleton<IRegisters>(made => made.GetRequiredService<Replicator>())
        .AddSingleton<IRegisterGlimpses>(made => made.GetRequiredService<Replicator>())
        .AddSingleton<IMessageSets>(made => made.GetRequiredService<Replicator>())
        .AddSingleton<QuorumProof>()
        .AddSingleton<ReadinessProbe>(made => made.GetRequiredService<QuorumProof>().ProveAsync);

    private static CoordinatorOptions Patience(Preset preset, Genesis genesis, IConfiguration settings)
    {
        var patience = (preset is Preset.Wan ? CoordinatorOptions.Wan : CoordinatorOptions.Default) with
        {
            Copies = genesis.BackupCount + 1,
        };
        settings.GetSection("Replication").Bind(patience);
        return patience;
    }

    private static IEnumerable<TileConfiguration> Tiles(Genesis genesis) => Placement.Genesis(
        genesis.Founders.Select(founder => (founder.Position, founder.Node)),
        genesis.BackupCount + 1,
        genesis.TileBits);

    private static TileDirectory Directory(Genesis genesis) => new(genesis.TileBits, Tiles(genesis));

    private static ReplicaWriter Writer(IServiceProvider made) => new(
        made.GetRequiredService<NodeDatabase>(),
        made.GetRequiredService<LocalNode>(),
        Tiles(made.GetRequiredService<Genesis>()),
        made.GetRequiredService<TileBoard>(),
        made.GetRequiredService<RowAges>(),
        made.GetRequiredService<IValueRules>(),
        made.GetRequiredService<PeerLimits>(),
        made.GetRequiredService<DiskRoom>(),
        made.GetRequiredService<TimeProvider>(),
        made.GetRequiredService<IHostApplicationLifetime>(),
        made.GetRequiredService<ILogger<ReplicaWriter>>());
}
