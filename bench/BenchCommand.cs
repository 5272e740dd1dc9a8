using System.CommandLine;

namespace ChordChat.Bench;

/// <summary>The command line.</summary>
internal static class BenchCommand
{
    public static RootCommand Create()
    {
        var defaults = new BenchOptions { CommandLine = "" };
        var nodes = new Option<int>("--nodes")
        {
            Description = "Nodes to start, as processes on this machine.",
            DefaultValueFactory = _ => defaults.NodeCount,
        };
        var scenarios = new Option<string>("--scenario")
        {
            Description = $"all, or some of {string.Join(',', BenchOptions.ScenarioNames)} with commas between.",
            DefaultValueFactory = _ => "all",
        };
        var outstanding = new Option<string>("--outstanding")
        {
            Description = "How many messages are under way at once; several with commas between. Default 1,16,64,256.",
        };
        var senders = new Option<int>("--senders")
        {
            Description = "Sessions that the outstanding messages are spread over.",
            DefaultValueFactory = _ => defaults.SenderCount,
        };
        var text = new Option<int>("--text")
        {
            Description = "Bytes of text in a message; up to about 700 are sealed into a box of 1 KiB.",
            DefaultValueFactory = _ => defaults.TextBytes,
        };
        var idle = new Option<int?>("--idle") { Description = "Idle connections to open. Default 2000." };
        var cost = new Option<int?>("--bcrypt-cost")
        {
            Description = "Work of the password check in the logins scenario, 10 to 14. Default 12, as a node's own.",
        };
        var quick = new Option<bool>("--quick")
        {
            Description = "A few seconds for each scenario: shows that everything works, not how fast it is.",
        };
        var command = new RootCommand("Starts a ChordChat cluster, loads it, and prints one JSON line for each run.")
        {
            nodes, scenarios, outstanding, senders, text, idle, cost, quick,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var options = parsed.GetValue(quick) ? defaults.Quick() : defaults;
            return BenchRun.RunAsync(options with
            {
                NodeCount = parsed.GetValue(nodes),
                Scenarios = Chosen(parsed.GetValue(scenarios)!),
                Outstanding = parsed.GetValue(outstanding) is { } counts ? Counts(counts) : options.Outstanding,
                SenderCount = Math.Clamp(parsed.GetValue(senders), 1, 64),
                TextBytes = parsed.GetValue(text),
                IdleCount = parsed.GetValue(idle) ?? options.IdleCount,
                BcryptCost = parsed.GetValue(cost) ?? options.BcryptCost,
                CommandLine = string.Join(' ', ["chordchat-bench", .. parsed.Tokens.Select(token => token.Value)]),
            }, cancellation);
        });
        return command;
    }

    private static IReadOnlyList<string> Chosen(string text) =>
        text == "all" ? BenchOptions.ScenarioNames : text.Split(',', StringSplitOptions.TrimEntries);

    private static int[] Counts(string text) => [.. text.Split(',').Select(int.Parse)];
}
