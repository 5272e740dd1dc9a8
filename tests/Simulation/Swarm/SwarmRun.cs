using System.Collections.Immutable;
using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>One run of one plan, and what came of it.</summary>
internal sealed class SwarmRun
{
    /// <summary>How many further runs the shrinking of a fault script may take.</summary>
    public const int ShrinkTriesMax = 150;

    private readonly SwarmCluster _cluster;
    private readonly ReplicaRules? _rules;

    public SwarmRun(SwarmPlan plan, ReplicaRules? rules = null)
    {
        _rules = rules;
        _cluster = new SwarmCluster(plan, rules);
        Fault = Judge();
    }

    /// <summary>What went wrong, in words, or null.</summary>
    public string? Fault { get; }

    public ulong Seed => _cluster.Plan.Seed;

    public ulong TraceHash => _cluster.World.Trace.Hash;

    public TimeSpan Simulated => _cluster.World.Now;

    public long EventCount => _cluster.World.Happened;

    public int AnsweredCount => _cluster.Clients.History.AnsweredCount;

    /// <summary>Changes of members that were decided.</summary>
    public int MoveCount => _cluster.Watch.MoveCount;

    /// <summary>Tiles that were cut in two, and tombstones that were forgotten.</summary>
    public (int Cuts, int Forgotten) Tidied => (_cluster.Watch.CutCount, _cluster.Watch.ForgottenCount);

    /// <summary>Older disks that were started, and processes that were refused because of one.</summary>
    public (int Started, int Refused) Copies => _cluster.Copies;

    public long BytesMoved => _cluster.Watch.BytesMoved;

    public IEnumerable<FaultKind> Faults => _cluster.Happened.Select(fault => fault.Kind);

    public static SwarmRun Of(ulong seed, SwarmMistake mistake = SwarmMistake.None, ReplicaRules? rules = null) =>
        new(SwarmPlan.Draw(seed, mistake), rules);

    /// <summary>The text of a failure: the seed first, the shortest script found that still fails at the end.</summary>
    public string Explain()
    {
        var script = Shrink();
        var shortest = script.Length == _cluster.Plan.Script.Length
            ? this : new SwarmRun(_cluster.Plan with { Script = script }, _rules);
        var lines = shortest._cluster.Happened.Select(fault => fault.Text);
        return $"{_cluster.World.Failure(Fault ?? "nothing")}\n"
            + $"with {script.Length} of {_cluster.Plan.Script.Length} faults: {shortest.Fault}\n"
            + $"{string.Join('\n', lines)}\n";
    }

    /// <summary>Leaves out ever smaller parts of the script as long as the run still fails (Zeller, Hildebrandt,
    /// <i>Simplifying and Isolating Failure-Inducing Input</i>, 2002).</summary>
    public ImmutableArray<Fault> Shrink()
    {
        var script = _cluster.Plan.Script;
        var tries = 0;
        for (var size = script.Length; size > 0; size = size > 1 ? (size + 1) / 2 : 0)
            for (var at = 0; at < script.Length && tries < ShrinkTriesMax; tries++)
            {
                var less = script.RemoveRange(at, Math.Min(size, script.Length - at));
                if (new SwarmRun(_cluster.Plan with { Script = less }, _rules).Fault is null)
                    at += size;
                else
                    script = less;
            }

        return script;
    }

    /// <summary>A broken invariant that the protocol itself asserts is a fault like any other.</summary>
    private string? Judge()
    {
        try
        {
            return _cluster.Run();
        }
        catch (Exception broken) when (broken is InvalidOperationException or ArgumentException or KeyNotFoundException)
        {
            var where = broken.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("ChordChat")) ?? "";
            return $"{broken.GetType().Name}: {broken.Message}{where}";
        }
    }
}
