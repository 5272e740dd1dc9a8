using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>How wild one run is. Every seed draws its own, so that rare combinations come up (swarm testing).</summary>
internal sealed record Weights
{
    public double Loss { get; private init; }
    public double Duplication { get; private init; }
    public double Straggling { get; private init; }
    public double DelicateLoss { get; private init; }
    public TimeSpan StraggleMax { get; private init; }
    public TimeSpan SyncMax { get; private init; }
    public TimeSpan OperationEvery { get; private init; }
    public TimeSpan ChangeEvery { get; private init; }
    public TimeSpan CrashEvery { get; private init; }
    public TimeSpan CutEvery { get; private init; }
    public required int[] Mix { get; init; }
    public required CoordinatorOptions Options { get; init; }
    public required StewardOptions StewardOptions { get; init; }

    public static Weights Draw(Prng random) => new()
    {
        Loss = random.Unit() * 0.2,
        Duplication = random.Unit() * 0.1,
        Straggling = random.Unit() * 0.3,
        DelicateLoss = random.Unit() * 0.5,
        StraggleMax = Ms(random, 5, 500),
        SyncMax = Ms(random, 0.2, 20),
        OperationEvery = Ms(random, 20, 120),
        ChangeEvery = Ms(random, 150, 1500),
        CrashEvery = Ms(random, 150, 2000),
        CutEvery = Ms(random, 200, 2000),
        Mix = [.. Enumerable.Range(0, 5).SelectMany(kind => Enumerable.Repeat(kind, 1 + random.Below(4)))],
        Options = new CoordinatorOptions
        {
            RoundTimeout = Ms(random, 30, 150),
            BackoffMax = Ms(random, 10, 100),
            RoundsMax = 1 + random.Below(6),
            LateRoundsMax = random.Below(3),
            ScanRowsMax = 1 + random.Below(8),
            PullBytesMax = 100 + random.Below(1000),
        },
        StewardOptions = new StewardOptions
        {
            Step = Ms(random, 50, 500),
            SealedMax = Ms(random, 50, 500),
            PreferredFor = Ms(random, 100, 2000),
            AnnounceEvery = Ms(random, 100, 500),
            AuditEvery = Ms(random, 500, 5000),
            ChangeEvery = Ms(random, 200, 2000),
        },
    };

    private static TimeSpan Ms(Prng random, double least, double most) =>
        random.Between(TimeSpan.FromMilliseconds(least), TimeSpan.FromMilliseconds(most));
}
