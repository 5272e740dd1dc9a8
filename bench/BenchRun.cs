using ChordChat.Bench.Nodes;
using ChordChat.Bench.Results;
using ChordChat.Bench.Scenarios;
using ChordChat.Bench.Users;

namespace ChordChat.Bench;

/// <summary>One run from the first node's start to the last one's end.</summary>
internal static class BenchRun
{
    /// <summary>Needs no nodes.</summary>
    private const string ScaleName = "scale";

    public static async Task<int> RunAsync(BenchOptions options, CancellationToken cancellation)
    {
        if (options.Scenarios.FirstOrDefault(name => name != ScaleName && !BenchOptions.ScenarioNames.Contains(name))
            is { } unknown)
        {
            Console.Error.WriteLine($"chordchat-bench: no scenario '{unknown}'; see --help");
            return 64;
        }

        if (options.Scenarios.Contains(ScaleName))
        {
            Scale.ScaleScenario.Run(options.Divisor > 1);
            options = options with { Scenarios = [.. options.Scenarios.Where(name => name != ScaleName)] };
            if (options.Scenarios.Count == 0)
                return 0;
        }

        try
        {
            await using var nodes = await LocalNodes.StartAsync(options, cancellation);
            var people = await People.CreateAsync(nodes, options, cancellation);
            var bench = new Workbench(options, nodes, people, new ResultWriter(options, nodes));
            foreach (var name in options.Scenarios)
                await RunAsync(name, bench, cancellation);
            return 0;
        }
        catch (BenchFailedException failed)
        {
            Console.Error.WriteLine($"chordchat-bench: {failed.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static Task RunAsync(string name, Workbench bench, CancellationToken cancellation) => name switch
    {
        "kept" => KeptScenario.RunAsync(bench, cancellation),
        "delivered" => DeliveredScenario.RunAsync(bench, cancellation),
        "change" => ChangeScenario.RunAsync(bench, cancellation),
        "shown" => ShownScenario.RunAsync(bench, cancellation),
        "logins" => LoginScenario.RunAsync(bench, cancellation),
        _ => IdleScenario.RunAsync(bench, cancellation),
    };
}

/// <summary>What every scenario works with.</summary>
internal sealed record Workbench(BenchOptions Options, LocalNodes Nodes, People People, ResultWriter Results);

/// <summary>The figures would mean nothing; the text says why.</summary>
internal sealed class BenchFailedException(string why) : Exception(why);
