using ChordChat.Core.Tiles;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>A run in which weeks are seconds: tombstones grow old in it and are collected.</summary>
/// <remarks>docs/protocol.md#tombstones. The ages stand to each other as the real ones do: late is half a tombstone's
/// age, and a calendar is wrong by a fifth of it at most.</remarks>
/// <param name="CollectEvery">Mean time between two rounds of one node.</param>
internal sealed record Aging(RowAges Ages, TimeSpan CollectEvery)
{
    /// <summary>How far a calendar may be off, either way.</summary>
    public TimeSpan CalendarErrorMax => Ages.TombstoneAge * 0.2;

    /// <summary>A node whose sync takes longer than a tombstone's age is away.</summary>
    public TimeSpan SlowSyncMax => Ages.TombstoneAge * 0.4;

    /// <summary>Null for most seeds. Drawn apart, so that whatever else a seed draws stays as it was.</summary>
    public static Aging? Draw(ulong seed)
    {
        var random = new Prng(seed ^ 0x4147_494E_4700);
        if (!random.Chance(0.4))
            return null;
        var age = random.Between(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(random.Chance(0.5) ? 5 : 15));
        return new(
            new RowAges
            {
                TombstoneAge = age,
                MessageAge = TimeSpan.FromDays(1), // Nobody's mail expires.
                PerRank = random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)),
                LateMax = age / 2,
                MendMax = age / 5,
            },
            random.Between(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(3)));
    }
}

/// <summary>What a node's disk remembers of its times.</summary>
/// <param name="RanMs">How long its processes have run.</param>
/// <param name="SeenMs">Its calendar when it last looked; null before the first start.</param>
internal readonly record struct NodeTimes(long RanMs, long? SeenMs);

/// <summary>The two times of one process, as Node/Storage/RunningTime tells them.</summary>
internal sealed class NodeClock(SwarmNode node)
{
    private static readonly TimeSpan StepMax = TimeSpan.FromSeconds(1);
    private TimeSpan _last = node.Cluster.World.Now;
    private long _ranMs = node.Times.RanMs;
    private long _seenMs = node.Times.SeenMs ?? node.CalendarMs;

    /// <summary>How long the node had been off, or paused, before the last look, by its calendar.</summary>
    public TimeSpan Away { get; private set; }

    /// <summary>What is to be saved with the next sync.</summary>
    public NodeTimes Times => new(_ranMs, _seenMs);

    /// <summary>Where nothing grows old one clock serves as both.</summary>
    public ReplicaTime Now()
    {
        var calendarMs = node.CalendarMs;
        if (node.Cluster.Plan.Aging is null)
            return new(calendarMs, calendarMs);
        var step = node.Cluster.World.Now - _last;
        _last += step;
        _ranMs += (long)(step < StepMax ? step : StepMax).TotalMilliseconds;
        Away = TimeSpan.FromMilliseconds(Math.Max(0, calendarMs - _seenMs));
        _seenMs = calendarMs;
        return new(_ranMs, calendarMs);
    }
}
