using ChordChat.Bench.Load;

namespace ChordChat.Bench.Scenarios;

/// <summary>From the send until the recipient's client has the message. Recipients are online, mostly at another node
/// than the sender, and acknowledge frame by frame, which removes the message from all copies again.</summary>
internal static class DeliveredScenario
{
    public static async Task RunAsync(Workbench bench, CancellationToken cancellation)
    {
        var (options, people, nodes) = (bench.Options, bench.People, bench.Nodes);
        var senders = await people.RegisterAsync(nodes.Cheap, "ds", options.SenderCount, cancellation);
        var recipients = await people.RegisterAsync(nodes.Cheap, "dr", options.RecipientCount, cancellation, keys: 1);
        await using var online = await SessionGroup.OpenAsync(bench, recipients, 1, cancellation);
        await using var sessions = await SessionGroup.OpenAsync(bench, senders, 0, cancellation);
        await VolleyRun.WarmUpAsync(bench, sessions, recipients, online, cancellation);
        foreach (var outstanding in options.Outstanding)
            bench.Results.Write(
                "delivered",
                await VolleyRun.RunAsync(bench, sessions, recipients, online, outstanding, cancellation));
    }
}
