using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using ChordChat.Bench.Nodes;
using ChordChat.Bench.Results;
using ChordChat.Wire;

namespace ChordChat.Bench.Scenarios;

/// <summary>Password checked, keyring and key log handed out, at all nodes side by side. What the client derives from
/// the password is made in advance.</summary>
internal static class LoginScenario
{
    private const int UserCount = 8;

    public static async Task RunAsync(Workbench bench, CancellationToken cancellation)
    {
        var users = await bench.People.RegisterAsync(bench.Nodes.Careful, "lu", UserCount, cancellation);
        var channels = bench.Nodes.All.Select(LocalNodes.Connect).ToArray();
        var waits = new ConcurrentBag<double>();
        var next = 0;
        var cpu = new CpuMeter(bench.Nodes);
        var started = Stopwatch.GetTimestamp();
        // One user at a time each, or the owners of the accounts would take it for guessing.
        await Task.WhenAll(users.Select(async user =>
        {
            while (Interlocked.Increment(ref next) is var number && number <= bench.Options.LoginCount)
            {
                var asked = Stopwatch.GetTimestamp();
                await new Chat.ChatClient(channels[number % channels.Length]).LogInAsync(
                    new LogInRequest { User = user.Name, Secret = bench.People.Secret },
                    cancellationToken: cancellation);
                waits.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
        }));
        var took = Stopwatch.GetElapsedTime(started);
        var (nodes, generator) = cpu.Read();
        bench.Results.Write("logins", new JsonObject
        {
            ["logins_per_s"] = Math.Round(waits.Count / took.TotalSeconds, 1),
            ["p50_ms"] = new Latencies(waits).At(0.5),
            ["p99_ms"] = new Latencies(waits).At(0.99),
            ["cpu_nodes_s"] = nodes,
            ["cpu_generator_s"] = generator,
            ["logins"] = waits.Count,
            ["at_once"] = UserCount,
            ["bcrypt_cost"] = bench.Options.BcryptCost,
        });
        foreach (var channel in channels)
            channel.Dispose();
    }
}
