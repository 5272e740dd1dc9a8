using System.CommandLine;

namespace ChordChat.Node.Hosting;

/// <summary>run: be the node in a folder until a signal says stop.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var data = DataOption(NodeSettings.Data.Help);
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

    public static Option<string> DataOption(string help)
    {
        var option = new Option<string>("--data")
        {
            Description = $"{help} [{NodeSettings.Data.Variable}]",
            HelpName = "DIR",
            Required = true,
        };
        if (Environment.GetEnvironmentVariable(NodeSettings.Data.Variable) is { Length: > 0 } folder)
        {
            option.Required = false;
            option.DefaultValueFactory = _ => folder;
        }

        return option.Named();
    }

    /// <summary>Refuses a path without a character, such as of a script whose variable is empty.</summary>
    public static Option<T> Named<T>(this Option<T> path)
    {
        path.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0))
                result.AddError($"{path.Name} needs a name, and got none.");
        });
        return path;
    }

    private static async Task<int> RunAsync(
        string data, Dictionary<string, string?> given, CancellationToken cancellation)
    {
        var settings = Layer(data, given);
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

    /// <summary>As <see cref="NodeSettings.Layer"/>.</summary>
    /// <exception cref="StartRefusedException">appsettings.json is not JSON.</exception>
    public static IConfigurationRoot Layer(string data, Dictionary<string, string?> given)
    {
        try
        {
            return NodeSettings.Layer(data, given);
        }
        catch (InvalidDataException e)
        {
            throw new StartRefusedException(
                ExitCode.Usage, $"{Path.Combine(data, "appsettings.json")} is not JSON: {e.InnerException?.Message}");
        }
    }

    private static Option OptionOf(Setting setting) => setting switch
    {
        { Flag: { } flag } => new Option<bool>($"--{flag}")
        {
            Description = $"{setting.Help} [{setting.Variable}=false]",
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
