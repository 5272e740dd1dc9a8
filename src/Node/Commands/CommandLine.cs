using System.CommandLine;
using ChordChat.Node.Base;
using ChordChat.Node.Operations;

namespace ChordChat.Node.Commands;

/// <summary>What a person can tell the program to do.</summary>
internal static class CommandLine
{
    /// <param name="run">The command that runs a node.</param>
    /// <param name="error">Where it says what is wrong; null for standard error.</param>
    public static async Task<int> RunAsync(string[] args, Command run, TextWriter? error = null)
    {
        error ??= Console.Error;
        var root = new RootCommand("A node of a ChordChat cluster: every node is the same, any node serves any user.")
        {
            run,
            ClusterCommands.Create(),
            RingCommand.Create(),
            WhereCommand.Create(),
            DoctorCommand.Create(),
            ReadyCommand.Create(),
            StopCommands.CreateSafeToStop(),
            StopCommands.CreateDrain(),
        };
        try
        {
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Error = error,
                ProcessTerminationTimeout = null, // Signals are the host's, which stops gracefully.
            };
            // A word that begins with @ is a word, no file to read words from.
            var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            var code = await parsed.InvokeAsync(configuration);
            return parsed.Errors.Count > 0 ? (int)ExitCode.Usage : code;
        }
        catch (StartRefusedException e)
        {
            await error.WriteLineAsync($"chordchat-node: {e.Message}");
            return (int)e.Code;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("chordchat-node: interrupted before it was done");
            return (int)ExitCode.Unexpected;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not HttpIOException))
        {
            // Their texts name the file or folder.
            await error.WriteLineAsync(
                $"chordchat-node: {e.Message.TrimEnd('.')}. Name a file or folder that this user may read and write. "
                + "Make room if the disk is full, or mend it if it can only be read; then try again.");
            return (int)ExitCode.Storage;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync($"chordchat-node: this should not happen; please report it:\n{e}");
            return (int)ExitCode.Unexpected;
        }
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
                result.AddError($"{path.Name} is empty; give a path.");
        });
        return path;
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
}
