using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Everything that one run draws from its seed before it begins: a cluster, its numbers, and what is done to
/// it (swarm testing: rare combinations come up because every seed leaves most of it out).</summary>
internal sealed record SwarmPlan
{
    /// <summary>Cuts and alarms are drawn apart.</summary>
    private static readonly FaultKind[] Kinds =
        [.. Enum.GetValues<FaultKind>().Except([FaultKind.CutTile, FaultKind.FalseAlarm])];

    public required ulong Seed { get; init; }
    public required int Founders { get; init; }
    public required int Copies { get; init; }
    public required int TileBits { get; init; }
    public required TimeSpan Length { get; init; }
    public required TimeSpan OperationEvery { get; init; }
    public required ImmutableArray<int> Mix { get; init; }
    public required RingOptions Ring { get; init; }
    public required MembershipOptions Membership { get; init; }
    public required CoordinatorOptions Patience { get; init; }
    public required StewardOptions Steward { get; init; }
    public required Weather Weather { get; init; }
    public required ImmutableArray<Fault> Script { get; init; }

    /// <summary>Whether nodes hear each other's beacons; otherwise they know the first founder's address.</summary>
    public required bool HasBeacons { get; init; }

    /// <summary>How far apart the founders start at most.</summary>
    public required TimeSpan StartWithin { get; init; }

    /// <summary>Calls to a process that is not there end at once, as on a connection refused.</summary>
    public required bool RefusesFast { get; init; }

    /// <summary>Mean time between two comparisons of copies.</summary>
    public required TimeSpan RepairEvery { get; init; }

    /// <summary>How rows grow old; null when they do not.</summary>
    public required Aging? Aging { get; init; }

    /// <summary>Mean time between two audits of the ring; null when there are none while faults come.</summary>
    public required TimeSpan? AuditEvery { get; init; }

    /// <summary>The mistake that this run makes on purpose.</summary>
    public SwarmMistake Mistake { get; init; }

    /// <summary>How long recovery may take once the faults are over.</summary>
    public TimeSpan CalmMax => TimeSpan.FromSeconds(60)
        + ((Membership.SilentDeadAfter + Membership.Quarantine + Steward.PreferredFor) * 2)
        + (Steward.AuditEvery * 2) + (RepairEvery * 4);

    public static SwarmPlan Draw(ulong seed, SwarmMistake mistake = SwarmMistake.None)
    {
        var random = new Prng(seed ^ 0x5157_4152_4d00_0000);
        var length = Seconds(random, 8, 30);
        var (auditEvery, alarms) = DrawAudits(seed, length);
        var founders = random.Chance(0.15) ? 1 + random.Below(2) : random.Chance(0.3) ? 3 : 4 + random.Below(4);
        return new()
        {
            Seed = seed,
            Mistake = mistake,
            Founders = founders,
            Copies = random.Chance(0.15) ? 5 : 3,
            TileBits = random.Below(3),
            Length = length,
            OperationEvery = Seconds(random, 0.03, 0.4),
            Mix =
            [
                .. Enumerable.Range(0, 6).SelectMany(kind => Enumerable.Repeat(kind, random.Below(4))),
                random.Below(6),
            ],
            HasBeacons = random.Chance(0.7),
            StartWithin = random.Chance(0.5) ? Seconds(random, 0, 0.2) : Seconds(random, 0, 8),
            RefusesFast = random.Chance(0.7),
            Ring = new RingOptions
            {
                SuccessorCount = 2 + random.Below(7),
                StabilizeInterval = Seconds(random, 0.3, 2),
                AskTimeout = Seconds(random, 0.2, 1),
            },
            Membership = DrawMembership(random),
            Patience = DrawPatience(random),
            Steward = DrawSteward(random),
            Weather = Weather.Draw(random),
            Script =
            [
                .. DrawScript(random, length).Concat(DrawCuts(seed, length)).Concat(alarms).OrderBy(fault => fault.At),
            ],
            RepairEvery = Seconds(random, 1, 15),
            Aging = Aging.Draw(seed),
            AuditEvery = auditEvery,
        };
    }

    private static MembershipOptions DrawMembership(Prng random)
    {
        var beat = Seconds(random, 0.4, 1);
        var deadAfter = beat * 3 + Seconds(random, 0, random.Chance(0.5) ? 2 : 12);
        return new MembershipOptions
        {
            ProbeInterval = beat,
            ProbeTimeout = Seconds(random, 0.3, 0.5), // A helper takes up to 500 ms for a probe, and gets twice this.
            DeadAfter = deadAfter,
            SilentDeadAfter = deadAfter * (1 + random.Unit() * 2),
            Quarantine = Seconds(random, 0.5, random.Chance(0.5) ? 2 : 12),
            CompareInterval = Seconds(random, 3, 30),
            PassiveInterval = Seconds(random, 1, 5),
        };
    }

    private static CoordinatorOptions DrawPatience(Prng random) => new()
    {
        RoundTimeout = Seconds(random, 0.03, random.Chance(0.5) ? 0.2 : 1),
        BackoffMax = Seconds(random, 0.01, 0.3),
        RoundsMax = 3 + random.Below(6),
        LateRoundsMax = random.Below(4),
        ScanRowsMax = 1 + random.Below(random.Chance(0.5) ? 8 : 200),
        PullBytesMax = 100 + random.Below(random.Chance(0.5) ? 1000 : 100_000),
    };

    private static StewardOptions DrawSteward(Prng random) => new()
    {
        Step = Seconds(random, 0.05, 2),
        UnwantedFor = Seconds(random, 0, 1),
        SealedMax = Seconds(random, 0.05, 1),
        PreferredFor = Seconds(random, 0.2, random.Chance(0.5) ? 2 : 8),
        AnnounceEvery = Seconds(random, 0.2, 2),
        AuditEvery = Seconds(random, 2, 20),
        ChangeEvery = Seconds(random, 0.2, 5),
        NewcomersMax = 1 + random.Below(4),
        ChangesMax = 1 + random.Below(4),
        ChangeGap = Seconds(random, 0.01, 0.2),
        QuietAfterPause = Seconds(random, 1, 6),
    };

    /// <summary>Most seeds leave most kinds out, so that what is left comes often and by itself.</summary>
    private static ImmutableArray<Fault> DrawScript(Prng random, TimeSpan length)
    {
        var chosen = Kinds
            .SelectMany(kind => Enumerable.Repeat(kind, random.Chance(0.4) ? 1 + random.Below(5) : 0)).ToArray();
        if (chosen.Length == 0)
            return [];
        var count = random.Below(4 + (int)length.TotalSeconds);
        return
        [
            .. Enumerable.Range(0, count).Select(_ => new Fault(
                random.Between(TimeSpan.Zero, length), random.Pick(chosen), random.Next(),
                Seconds(random, 0.05, random.Chance(0.7) ? 3 : 15), random.Next())).OrderBy(fault => fault.At),
        ];
    }

    /// <summary>Drawn apart, so that whatever else a seed draws stays as it was before tiles were cut.</summary>
    private static IEnumerable<Fault> DrawCuts(ulong seed, TimeSpan length)
    {
        var random = new Prng(seed ^ 0x4355_5400);
        var count = random.Chance(0.5) ? 1 + random.Below(8) : 0;
        return Enumerable.Range(0, count).Select(_ => new Fault(
            random.Between(TimeSpan.Zero, length), FaultKind.CutTile, random.Next(), TimeSpan.Zero, random.Next()));
    }

    /// <summary>Drawn apart, like cuts.</summary>
    private static (TimeSpan? Every, Fault[] Alarms) DrawAudits(ulong seed, TimeSpan length)
    {
        var random = new Prng(seed ^ 0x4155_4449_5400);
        if (random.Chance(0.6))
            return (null, []);
        var count = random.Below(5);
        var alarms = Enumerable.Range(0, count).Select(_ => new Fault(
            random.Between(TimeSpan.Zero, length), FaultKind.FalseAlarm, random.Next(), TimeSpan.Zero, random.Next()));
        return (Seconds(random, 1, 10), [.. alarms]);
    }

    private static TimeSpan Seconds(Prng random, double least, double most) =>
        random.Between(TimeSpan.FromSeconds(least), TimeSpan.FromSeconds(most));
}

/// <summary>How links and disks are when no fault is on.</summary>
internal sealed record Weather(
    double Loss, double Duplication, double Straggling, TimeSpan DelayMax, TimeSpan StraggleMax, TimeSpan SyncMax)
{
    public static readonly Weather Fine = new(
        0, 0, 0, TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(3));

    public static Weather Draw(Prng random) => new(
        random.Chance(0.5) ? 0 : random.Unit() * 0.2,
        random.Chance(0.5) ? 0 : random.Unit() * 0.1,
        random.Chance(0.5) ? 0 : random.Unit() * 0.3,
        random.Between(TimeSpan.FromMilliseconds(0.3), TimeSpan.FromMilliseconds(20)),
        random.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(800)),
        random.Between(TimeSpan.FromMilliseconds(0.3), TimeSpan.FromMilliseconds(30)));
}

/// <summary>The mistakes of docs/protocol.md#ten-mistakes that a host, not the protocol, would make.</summary>
internal enum SwarmMistake
{
    None = 0,

    /// <summary>A node that finds nobody at start founds a cluster by itself.</summary>
    FoundsAlone,

    /// <summary>Whoever the ring names as owner answers, without having been decided.</summary>
    RingDecides,

    /// <summary>Registers a name by reading, seeing nothing, and writing.</summary>
    ReadThenWrite,

    /// <summary>Answers before the sync.</summary>
    AnswersBeforeSync,

    /// <summary>Calls a write done when one replica has it.</summary>
    OneReplicaIsEnough,

    /// <summary>One missed ping is death, and its own pause goes unnoticed.</summary>
    MissIsDeath,

    /// <summary>A tombstone is dropped as soon as it is written.</summary>
    DropsTombstones,

    /// <summary>Calls a timeout a failure, and makes every retry a new operation.</summary>
    RetriesAnew,

    /// <summary>Goes on after a failed sync.</summary>
    IgnoresFailedSync,

    /// <summary>Believes a node that another cluster admitted.</summary>
    HearsStrangers,

    /// <summary>Reads what its own replica has, without asking the others.</summary>
    ReadsOneCopy,

    /// <summary>Believes whatever disk a node comes with.</summary>
    TrustsCopies,

    /// <summary>Passes the token of an audit on as it came.</summary>
    TokenIsNotCounted,

    /// <summary>A claim first looks at the name, and believes a single copy where no majority answers.</summary>
    BelievesOneCopy,
}
