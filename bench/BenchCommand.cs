using System.CommandLine;

namespace ChordChat.Bench;

/// <summary>The command line.</summary>
internal static class BenchCommand
{
    private static readonly BenchOptions Defaults = new() { CommandLine = "" };

    private static readonly Option<int> Nodes = new("--nodes")
    {
        Description = "Nodes to start, as processes on this machine.",
        DefaultValueFactory = _ => Defaults.NodeCount,
    };

    private static readonly Option<string> Scenarios = new("--scenario")
    {
        Description = $"all, or some of {string.Join(',', BenchOptions.ScenarioNames)} with commas between; or "
            + "scale, which simulates rings of up to 100,000 nodes and starts none.",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<string> Outstanding = new("--outstanding")
    {
        Description = "How many messages are under way at once; several with commas between. Default 1,16,64,256.",
    };

    private static readonly Option<int> Senders = new("--senders")
    {
        Description = "Sessions that the outstanding messages are spread over.",
        DefaultValueFactory = _ => Defaults.SenderCount,
    };

    private static readonly Option<int> Text = new("--text")
    {
        Description = "Bytes of text in a message; up to about 700 are sealed into a box of 1 KiB.",
        DefaultValueFactory = _ => Defaults.TextBytes,
    };

    private static readonly Option<int?> Idle = new("--idle")
    {
        Description = "Idle connections to open. Default 2000.",
    };

    private static readonly Option<int?> Cost = new("--bcrypt-cost")
    {
        Description = "Work of the password check in the logins scenario, 10 to 14. Default 12, as a node's own.",
    };

    private static readonly Option<int?> WarmUp = new("--warm-up")
    {
        Description = "Seconds of load before kept and delivered are measured. Default 30.",
    };

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "A few seconds for each scenario: shows that everything works, not how fast it is.",
    };

    public static RootCommand Create()
    {
        var command = new RootCommand("Starts a ChordChat cluster, loads it, and prints one JSON line for each run.")
        {
            Nodes, Scenarios, Outstanding, Senders, Text, Idle, Cost, WarmUp, Quick,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var options = parsed.GetValue(Quick) ? Defaults.Quick() : Defaults;
            return BenchRun.RunAsync(options with
            {
                NodeCount = parsed.GetValue(Nodes),
                Scenarios = Chosen(parsed.GetValue(Scenarios)!),
                Outstanding = parsed.GetValue(Outstanding) is { } counts ? Counts(counts) : options.Outstanding,
                SenderCount = Math.Clamp(parsed.GetValue(Senders), 1, 64),
                TextBytes = parsed.GetValue(Text),
                IdleCount = parsed.GetValue(Idle) ?? options.IdleCount,
                BcryptCost = parsed.GetValue(Cost) ?? options.BcryptCost,
                WarmUp = parsed.GetValue(WarmUp) is { } seconds ? TimeSpan.FromSeconds(seconds) : options.WarmUp,
                CommandLine = string.Join(' ', ["chordchat-bench", .. parsed.Tokens.Select(token => token.Value)]),
            }, cancellation);
        });
        return command;
    }

    private static IReadOnlyList<string> Chosen(string text) =>
        text == "all" ? BenchOptions.ScenarioNames : text.Split(',', StringSplitOptions.TrimEntries);

    private static int[] Counts(string text) => [.. text.Split(',').Select(int.Parse)];
}
