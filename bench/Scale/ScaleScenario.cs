using System.Globalization;
using System.Text.Json.Nodes;
using ChordChat.Bench.Nodes;

namespace ChordChat.Bench.Scale;

/// <summary>Rings that no machine holds as processes: hops, upkeep and mending, simulated. Prints a JSON line for each
/// size, the table of docs/protocol.md, and draws docs/images/scale.svg.</summary>
internal static class ScaleScenario
{
    private const int CacheMax = 4096;
    private const int LargeRing = 4096;

    public static void Run(bool quick)
    {
        var rows = new List<ScaleRow>();
        foreach (var nodeCount in quick ? [10, 100] : (int[])[10, 100, 1_000, 10_000, 100_000])
        {
            rows.Add(Measure(nodeCount));
            Console.WriteLine(rows[^1].ToJson());
        }

        Console.WriteLine();
        Console.WriteLine(ScaleRow.Heading);
        rows.ForEach(row => Console.WriteLine(row.ToTable()));
        if (quick)
            return;
        var drawing = Path.Combine(BuiltProgram.Root, "docs", "images", "scale.svg");
        File.WriteAllText(drawing, HopsDrawing.Draw(rows));
        Console.WriteLine();
        Console.WriteLine($"drawn: {drawing}");
    }

    private static ScaleRow Measure(int nodeCount)
    {
        var successors = nodeCount > LargeRing ? 16 : 8;
        var plain = new LookupRun(nodeCount, successors, 0).Measure(5_000);
        var cached = new LookupRun(nodeCount, successors, CacheMax).Measure(nodeCount > LargeRing ? 500 : 5_000);
        var row = new ScaleRow(nodeCount, successors, plain.Mean, plain.Max, cached.Mean, cached.Max);
        if (nodeCount is < 100 or > 10_000)
            return row;
        var hasCaches = nodeCount <= CacheMax;
        var upkeep = new UpkeepRun(nodeCount, successors, hasCaches);
        var calm = upkeep.MeasureCalm(TimeSpan.FromSeconds(30));
        var (whole, exact) = upkeep.MeasureMending(TimeSpan.FromMinutes(5));
        return row with
        {
            HasCaches = hasCaches,
            BytesPerSecond = calm + UpkeepRun.FingerBytes(hasCaches ? cached.Mean : plain.Mean),
            Whole = whole,
            Exact = exact,
        };
    }
}

/// <summary>One ring size. Times and bytes are null where that was not simulated.</summary>
internal sealed record ScaleRow(int Nodes, int Successors, double Mean, int Max, double CachedMean, int CachedMax)
{
    public const string Heading =
        "| N | r | 1/2 log2 N | hops: mean, max | with cache: mean, max | upkeep, bytes/s a node "
        + "| a tenth dies: all have a living successor | all lists exact |\n"
        + "|---:|---:|---:|---:|---:|---:|---:|---:|";

    public bool HasCaches { get; init; }
    public double? BytesPerSecond { get; init; }
    public TimeSpan? Whole { get; init; }
    public TimeSpan? Exact { get; init; }

    public double HalfLog => Math.Log2(Nodes) / 2;

    public string ToJson() => new JsonObject
    {
        ["scenario"] = "scale",
        ["nodes"] = Nodes,
        ["successors"] = Successors,
        ["half_log2"] = Math.Round(HalfLog, 2),
        ["hops_mean"] = Math.Round(Mean, 2),
        ["hops_max"] = Max,
        ["hops_cached_mean"] = Math.Round(CachedMean, 2),
        ["hops_cached_max"] = CachedMax,
        ["upkeep_with_caches"] = HasCaches,
        ["upkeep_bytes_per_s"] = BytesPerSecond is { } bytes ? Math.Round(bytes) : null,
        ["whole_s"] = Whole?.TotalSeconds,
        ["exact_s"] = Exact?.TotalSeconds,
    }.ToJsonString();

    public string ToTable() => string.Create(CultureInfo.InvariantCulture,
        $"| {Nodes:n0} | {Successors} | {HalfLog:f2} | {Mean:f2}, {Max} | {CachedMean:f2}, {CachedMax} | {Upkeep()} "
        + $"| {Seconds(Whole)} | {Seconds(Exact)} |");

    private string Upkeep() => BytesPerSecond is not { } bytes ? ""
        : string.Create(CultureInfo.InvariantCulture, $"{bytes:n0}{(HasCaches ? "" : " (ring alone)")}");

    private static string Seconds(TimeSpan? time) =>
        time is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalSeconds:f1} s") : "";
}
