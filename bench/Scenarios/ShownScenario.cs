using System.Diagnostics;
using System.Text.Json.Nodes;
using ChordChat.Bench.Nodes;
using ChordChat.Bench.Results;

namespace ChordChat.Bench.Scenarios;

/// <summary>How long a page shows a ring of five nodes as it is no more: one is killed, started again, stopped,
/// continued.</summary>
internal static class ShownScenario
{
    private const int NodeCount = 5;
    private const int RoundCount = 20;
    private const int SigCont = 18;
    private const int SigStop = 19;

    public static async Task RunAsync(Workbench shared, CancellationToken cancellation)
    {
        await using var nodes = await LocalNodes.StartAsync(
            shared.Options with { NodeCount = NodeCount }, cancellation);
        await using var page = await RingPage.OpenAsync(nodes, cancellation);
        await AllAliveAsync(nodes, page, cancellation);
        List<double> killed = [], back = [], stopped = [], watched = [];
        for (var i = 0; i < Math.Max(2, RoundCount / shared.Options.Divisor); i++)
        {
            var doomed = nodes.All[i % NodeCount];
            var seen = doomed.Name == page.Watched ? watched : killed;
            await CalmAsync(cancellation);
            doomed.Kill();
            seen.Add(await GoneAsync(page, doomed, cancellation));
            doomed.StartAgain();
            await LocalNodes.ReadyAsync(doomed, cancellation);
            back.Add((await page.ShowsAsync($"{doomed.Name} is back", view => view.IsAlive(doomed.Name), cancellation))
                .TotalMilliseconds);

            await AllAliveAsync(nodes, page, cancellation);
            var frozen = nodes.All.First(node => node.Name != page.Watched);
            await CalmAsync(cancellation);
            Signal(frozen, SigStop);
            stopped.Add(await GoneAsync(page, frozen, cancellation));
            Signal(frozen, SigCont);
            await AllAliveAsync(nodes, page, cancellation);
        }

        shared.Results.Write("shown", new JsonObject
        {
            ["killed"] = Figures(killed),
            ["killed_watched"] = Figures(watched),
            ["stopped"] = Figures(stopped),
            ["ready_again"] = Figures(back),
        });
    }

    private static async Task<double> GoneAsync(RingPage page, LocalNode node, CancellationToken cancellation) =>
        (await page.ShowsAsync($"{node.Name} is gone", view => !view.IsAlive(node.Name), cancellation))
            .TotalMilliseconds;

    private static async Task AllAliveAsync(LocalNodes nodes, RingPage page, CancellationToken cancellation) =>
        await page.ShowsAsync("all are alive", view => nodes.All.All(node => view.IsAlive(node.Name)), cancellation);

    /// <summary>So that no round begins at the same moment of the nodes' timers.</summary>
    private static Task CalmAsync(CancellationToken cancellation) =>
        Task.Delay(Random.Shared.Next(1_000, 3_000), cancellation);

    private static void Signal(LocalNode node, int signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{node.ProcessId}"]);
        kill.WaitForExit();
    }

    private static JsonObject Figures(List<double> ms)
    {
        if (ms.Count == 0)
            return [];
        var sorted = new Latencies(ms);
        return new() { ["times"] = ms.Count, ["p50_ms"] = sorted.At(0.5), ["longest_ms"] = sorted.At(1) };
    }
}
