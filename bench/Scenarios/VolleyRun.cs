using System.Diagnostics;
using System.Text.Json.Nodes;
using ChordChat.Bench.Load;
using ChordChat.Bench.Results;
using ChordChat.Bench.Users;

namespace ChordChat.Bench.Scenarios;

/// <summary>One volley, measured.</summary>
internal static class VolleyRun
{
    private const int WarmUpOutstanding = 64;

    /// <summary>Sends until the time for warming up is over.</summary>
    public static async Task WarmUpAsync(
        Workbench bench, SessionGroup senders, IReadOnlyList<Person> recipients, SessionGroup? online,
        CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        do
            await RunAsync(bench, senders, recipients, online, WarmUpOutstanding, cancellation);
        while (Stopwatch.GetElapsedTime(started) < bench.Options.WarmUp);
    }

    /// <param name="online">The recipients' sessions; null when they are offline and only keeping is measured.</param>
    public static async Task<JsonObject> RunAsync(
        Workbench bench, SessionGroup senders, IReadOnlyList<Person> recipients, SessionGroup? online, int outstanding,
        CancellationToken cancellation)
    {
        var used = senders.Sessions.Take(Math.Min(outstanding, senders.Sessions.Count)).ToArray();
        var mail = Mail.Seal(
            bench.People.Cluster, [.. used.Select(session => session.Owner)], recipients,
            bench.Options.MessageCount(outstanding), bench.Options.TextBytes);
        var volley = new Volley(mail, used, online?.Sessions ?? []);
        GC.Collect(); // What sealing left behind is not to be collected while time is taken.
        var cpu = new CpuMeter(bench.Nodes);
        var took = await volley.RunAsync(outstanding, cancellation);
        var (nodes, generator) = cpu.Read();
        var waits = Latencies.Between(volley.SentAt, online is null ? volley.KeptAt : volley.DeliveredAt);
        return new JsonObject
        {
            ["outstanding"] = outstanding,
            ["messages_per_s"] = Math.Round(mail.Count / took.TotalSeconds),
            ["p50_ms"] = waits.At(0.5),
            ["p99_ms"] = waits.At(0.99),
            ["cpu_nodes_s"] = nodes,
            ["cpu_generator_s"] = generator,
            ["cpu_nodes_us_per_message"] = Math.Round(nodes * 1e6 / mail.Count),
            ["messages"] = mail.Count,
            ["seconds"] = Math.Round(took.TotalSeconds, 2),
            ["senders"] = used.Length,
            ["recipients"] = recipients.Count,
            ["envelope_bytes"] = mail.EnvelopeBytes,
        };
    }
}
