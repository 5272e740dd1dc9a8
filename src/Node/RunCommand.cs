using System.CommandLine;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Operations;

namespace ChordChat.Node;

/// <summary>run: be the node in a folder until a signal says stop.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var data = CommandLine.DataOption(NodeSettings.Data.Help);
        var command = new Command("run", "Run the node in a folder until it is told to stop (SIGTERM, Ctrl+C).");
        command.Add(data);
        var options = NodeSettings.All.Select(setting => (setting, option: OptionOf(setting))).ToArray();
        foreach (var (_, option) in options)
            command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            var given = new Dictionary<string, string?>();
            foreach (var (setting, option) in options)
                if (ValueOf(parsed, option) is { } value)
                    given[setting.Name] = value;
            return await RunAsync(parsed.GetRequiredValue(data), given, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        string data, Dictionary<string, string?> given, CancellationToken cancellation)
    {
        var settings = CommandLine.Layer(data, given);
        var problems = new List<string>();
        var options = NodeSettings.Read(data, settings, problems);
        if (problems.Count > 0)
            throw StartRefusedException.Usage("settings are wrong:", problems);
        using var signals = new StopSignals();
        await using var node = await RunningNode.StartAsync(options, settings, cancellation);
        await using var leaving = signals.First.Register(() => _ = node.Departure.Stop());
        await node.WaitForStopAsync();
        return Environment.ExitCode;
    }

    private static Option OptionOf(Setting setting) => setting switch
    {
        { Flag: { } flag } => new Option<bool>($"--{flag}")
        {
            Description = $"{setting.Help} [{setting.Variable}=false]",
            Arity = ArgumentArity.Zero,
        },
        { Repeatable: true } => new Option<string[]>($"--{setting.Name}")
        {
            Description = $"{setting.Help} [{setting.Variable}, with commas between]",
        },
        _ => new Option<string>($"--{setting.Name}") { Description = $"{setting.Help} [{setting.Variable}]" },
    };

    private static string? ValueOf(ParseResult parsed, Option option) => option switch
    {
        Option<bool> flag => parsed.GetValue(flag) ? "false" : null,
        Option<string[]> list => parsed.GetValue(list) is { Length: > 0 } values ? string.Join(',', values) : null,
        Option<string> text => parsed.GetValue(text),
        _ => null,
    };
}
