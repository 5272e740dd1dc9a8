using System.Globalization;
using System.Text.Json.Nodes;
using ChordChat.Bench.Nodes;

namespace ChordChat.Bench.Results;

/// <summary>One JSON line for each run, with what is needed to make it again.</summary>
internal sealed class ResultWriter(BenchOptions options, LocalNodes nodes)
{
    private readonly string _model = Model();

    public void Write(string scenario, JsonObject figures)
    {
        var line = new JsonObject { ["scenario"] = scenario };
        foreach (var (name, value) in figures.ToArray())
        {
            figures.Remove(name);
            line[name] = value;
        }

        line["nodes"] = nodes.All.Count;
        line["command"] = options.CommandLine;
        line["machine"] = new JsonObject { ["cores"] = Environment.ProcessorCount, ["model"] = _model };
        line["at"] = DateTimeOffset.UtcNow.ToString("u", CultureInfo.InvariantCulture);
        Console.WriteLine(line.ToJsonString());
    }

    private static string Model()
    {
        const string Info = "/proc/cpuinfo";
        var line = File.Exists(Info)
            ? File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "unknown";
    }
}
