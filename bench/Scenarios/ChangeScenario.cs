using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ChordChat.Bench.Load;
using ChordChat.Bench.Nodes;
using ChordChat.Bench.Results;
using ChordChat.Bench.Users;

namespace ChordChat.Bench.Scenarios;

/// <summary>Messages flow while one of four nodes is drained and every tile that it kept gets another member.</summary>
internal static partial class ChangeScenario
{
    private const int NodeCount = 4;
    private const int Outstanding = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(Workbench shared, CancellationToken cancellation)
    {
        var options = shared.Options with { NodeCount = NodeCount };
        await using var nodes = await LocalNodes.StartAsync(options, cancellation);
        var bench = shared with
        {
            Options = options,
            Nodes = nodes,
            People = await People.CreateAsync(nodes, options, cancellation),
        };
        var senders = await bench.People.RegisterAsync(nodes.Cheap, "cs", options.SenderCount, cancellation);
        var recipients = await bench.People.RegisterAsync(
            nodes.Cheap, "cr", options.RecipientCount, cancellation, keys: 1);
        await using var sessions = await SessionGroup.OpenAsync(bench, senders, 0, cancellation, NodeCount - 1);
        await VolleyRun.WarmUpAsync(bench, sessions, recipients, null, cancellation);
        var before = Waits([await SendAsync(bench, sessions, recipients, cancellation)]);

        var drained = Stopwatch.StartNew();
        var draining = nodes.DrainLastAsync(cancellation);
        var volleys = new List<Volley>();
        while (!draining.IsCompleted)
            volleys.Add(await SendAsync(bench, sessions, recipients, cancellation));
        await draining;
        drained.Stop();
        var meanwhile = Waits(volleys);
        var pauses = await PausesAsync(nodes, cancellation);
        shared.Results.Write("change", new JsonObject
        {
            ["outstanding"] = Outstanding,
            ["before_p50_ms"] = before.At(0.5),
            ["before_p99_ms"] = before.At(0.99),
            ["meanwhile_p50_ms"] = meanwhile.At(0.5),
            ["meanwhile_p99_ms"] = meanwhile.At(0.99),
            ["meanwhile_longest_ms"] = meanwhile.At(1),
            ["drain_s"] = Math.Round(drained.Elapsed.TotalSeconds, 1),
            ["messages_meanwhile"] = volleys.Sum(volley => volley.SentAt.Length),
            ["pauses_by_node"] = pauses,
        });
    }

    private static async Task<Volley> SendAsync(
        Workbench bench, SessionGroup senders, IReadOnlyList<Person> recipients, CancellationToken cancellation)
    {
        var mail = Mail.Seal(
            bench.People.Cluster, [.. senders.Sessions.Select(session => session.Owner)], recipients,
            bench.Options.MessageCount(0), bench.Options.TextBytes);
        var volley = new Volley(mail, senders.Sessions, []);
        await volley.RunAsync(Outstanding, cancellation);
        return volley;
    }

    private static Latencies Waits(IEnumerable<Volley> volleys) => new(volleys.SelectMany(volley => volley.SentAt
        .Zip(volley.KeptAt, (sent, kept) => Stopwatch.GetElapsedTime(sent, kept).TotalMilliseconds)));

    /// <summary>Of the nodes that stay, as each has logged them.</summary>
    private static async Task<JsonArray> PausesAsync(LocalNodes nodes, CancellationToken cancellation)
    {
        var told = new JsonArray();
        foreach (var node in nodes.All.SkipLast(1))
        {
            var waited = Stopwatch.StartNew();
            MatchCollection lines;
            while ((lines = PauseLine().Matches(nodes.LogOf(node))).Count == 0)
            {
                if (waited.Elapsed > Patience)
                    throw new BenchFailedException($"{node.Name} has logged no pauses");
                await Task.Delay(100, cancellation);
            }

            foreach (Match line in lines)
                told.Add(new JsonObject
                {
                    ["node"] = node.Name,
                    ["tiles"] = Number(line, 1),
                    ["p50_ms"] = Number(line, 2),
                    ["p99_ms"] = Number(line, 3),
                    ["longest_ms"] = Number(line, 4),
                });
        }

        return told;
    }

    private static int Number(Match line, int group) =>
        int.Parse(line.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"(\d+) tiles kept here have changed members; each paused: median (\d+) ms, p99 (\d+) ms, max (\d+) ms")]
    private static partial Regex PauseLine();
}
