using System.Diagnostics;
using System.Text.Json.Nodes;
using ChordChat.Bench.Load;
using ChordChat.Bench.Results;

namespace ChordChat.Bench.Scenarios;

/// <summary>What a session costs a node in memory that only sends its heartbeats; and how fast sessions open.</summary>
internal static class IdleScenario
{
    public static async Task RunAsync(Workbench bench, CancellationToken cancellation)
    {
        var count = bench.Options.IdleCount;
        var people = await bench.People.RegisterAsync(bench.Nodes.Cheap, "id", count, cancellation);
        // A few first: what a node needs once for all of them is not theirs.
        await using (await SessionGroup.OpenAsync(bench, people[..Math.Min(count, 50)], 0, cancellation))
            await Task.Delay(bench.Options.IdleTime / 2, cancellation);
        var before = bench.Nodes.WorkingSetBytes;
        var opening = new CpuMeter(bench.Nodes);
        var started = Stopwatch.GetTimestamp();
        await using var sessions = await SessionGroup.OpenAsync(bench, people, 0, cancellation);
        var took = Stopwatch.GetElapsedTime(started);
        var opened = opening.Read();
        var idling = new CpuMeter(bench.Nodes);
        await Task.Delay(bench.Options.IdleTime, cancellation);
        var idled = idling.Read();
        var after = bench.Nodes.WorkingSetBytes;
        bench.Results.Write("idle", new JsonObject
        {
            ["connections"] = count,
            ["bytes_per_connection"] = (after - before) / count,
            ["opened_per_s"] = Math.Round(count / took.TotalSeconds),
            ["opening_cpu_nodes_s"] = opened.Nodes,
            ["opening_cpu_generator_s"] = opened.Generator,
            ["idle_seconds"] = bench.Options.IdleTime.TotalSeconds,
            ["cpu_nodes_s"] = idled.Nodes,
            ["cpu_generator_s"] = idled.Generator,
            ["nodes_bytes_before"] = before,
            ["nodes_bytes_after"] = after,
        });
    }
}
