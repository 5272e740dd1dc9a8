using ChordChat.Bench.Load;

namespace ChordChat.Bench.Scenarios;

/// <summary>From the send to the outcome KEPT: on disk, fsynced, at a majority. Recipients are offline.</summary>
internal static class KeptScenario
{
    public static async Task RunAsync(Workbench bench, CancellationToken cancellation)
    {
        var (options, people, nodes) = (bench.Options, bench.People, bench.Nodes);
        var senders = await people.RegisterAsync(nodes.Cheap, "ks", options.SenderCount, cancellation);
        var recipients = await people.RegisterAsync(nodes.Cheap, "kr", options.RecipientCount, cancellation, keys: 1);
        await using var sessions = await SessionGroup.OpenAsync(bench, senders, 0, cancellation);
        await VolleyRun.WarmUpAsync(bench, sessions, recipients, null, cancellation);
        foreach (var outstanding in options.Outstanding)
            bench.Results.Write(
                "kept",
                await VolleyRun.RunAsync(bench, sessions, recipients, null, outstanding, cancellation));
    }
}
