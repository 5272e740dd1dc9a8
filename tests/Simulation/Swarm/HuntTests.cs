using System.Diagnostics;
using ChordChat.Tests.Simulation.World;
using Xunit;
using Xunit.Abstractions;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary><c>./test.sh hunt --seeds N [--from S] [--minutes M]</c>: as many seeds as asked for, with a
/// report.</summary>
public class HuntTests(ITestOutputHelper output)
{
    private const int LineEvery = 250;
    private const int ExplainedMax = 3;

    [HuntFact]
    public void Hunt()
    {
        var (from, count) = (Seeds.Number("CHORDCHAT_HUNT_FROM") ?? 1, Seeds.Number("CHORDCHAT_HUNT_SEEDS") ?? 1000);
        var limit = Seeds.Number("CHORDCHAT_HUNT_MINUTES") is { } minutes
            ? TimeSpan.FromMinutes(minutes) : TimeSpan.MaxValue;
        var clock = Stopwatch.StartNew();
        var (simulated, answered, seeds, copies, refused, forgotten) = (TimeSpan.Zero, 0L, 0UL, 0, 0, 0L);
        var faults = new SortedDictionary<FaultKind, long>();
        var failures = new List<string>();
        for (; seeds < count && clock.Elapsed < limit; seeds++)
        {
            var run = SwarmRun.Of(from + seeds);
            simulated += run.Simulated;
            answered += run.AnsweredCount;
            (copies, refused) = (copies + run.Copies.Started, refused + run.Copies.Refused);
            forgotten += run.Tidied.Forgotten;
            foreach (var kind in run.Faults)
                faults[kind] = faults.GetValueOrDefault(kind) + 1;
            if (run.Fault is not null)
            {
                failures.Add(failures.Count < ExplainedMax ? run.Explain() : $"seed {from + seeds}: {run.Fault}");
                Say($"FOUND {failures[^1]}");
            }

            if ((seeds + 1) % LineEvery == 0)
                Say($"{seeds + 1} seeds, {simulated.TotalHours:f1} h simulated in {clock.Elapsed.TotalSeconds:f0} s, "
                    + $"{failures.Count} failures");
        }

        Say($"{seeds} seeds from {from}: {simulated.TotalHours:f1} h simulated in {clock.Elapsed.TotalSeconds:f0} s "
            + $"({simulated / clock.Elapsed:f0} times as fast), {answered} operations answered, "
            + $"{faults.Values.Sum()} faults: {string.Join(", ", faults.Select(kind => $"{kind.Value} {kind.Key}"))}; "
            + $"{copies} older disks started, {refused} processes refused; {forgotten} tombstones forgotten");
        foreach (var failure in failures)
            Say(failure.Split('\n')[0]);
        Say($"{seeds - (ulong)failures.Count} seeds passed, {failures.Count} failed");
        Assert.Empty(failures);
    }

    /// <summary>Into a file at once, where the script shows it: a hunt is long, and the runner speaks at the
    /// end.</summary>
    private void Say(string line)
    {
        if (Environment.GetEnvironmentVariable("CHORDCHAT_HUNT_LOG") is { } file)
            File.AppendAllText(file, line + "\n");
        output.WriteLine(line);
    }
}

/// <summary>Runs on request only.</summary>
internal sealed class HuntFactAttribute : FactAttribute
{
    public HuntFactAttribute()
    {
        if (Seeds.Number("CHORDCHAT_HUNT_SEEDS") is null)
            Skip = "asked for with ./test.sh hunt --seeds N";
    }
}
