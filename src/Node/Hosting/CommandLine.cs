using System.CommandLine;
using ChordChat.Node.View;

namespace ChordChat.Node.Hosting;

/// <summary>What a person can tell the program to do.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("A node of a ChordChat cluster: every node is the same, any node serves any user.")
        {
            RunCommand.Create(),
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
                ProcessTerminationTimeout = null, // Signals are the host's, which stops gracefully.
            };
            // A word that begins with @ is a word, no file to read words from.
            var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            var code = await parsed.InvokeAsync(configuration);
            return parsed.Errors.Count > 0 ? (int)ExitCode.Usage : code;
        }
        catch (StartRefusedException e)
        {
            await Console.Error.WriteLineAsync($"chordchat-node: {e.Message}");
            return (int)e.Code;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("chordchat-node: interrupted before it was done");
            return (int)ExitCode.Unexpected;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"chordchat-node: this should not happen; please report it:\n{e}");
            return (int)ExitCode.Unexpected;
        }
    }
}
