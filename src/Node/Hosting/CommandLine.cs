using System.CommandLine;
using ChordChat.Node.View;

namespace ChordChat.Node.Hosting;

/// <summary>What a person can tell the program to do.</summary>
internal static class CommandLine
{
    /// <param name="error">Where it says what is wrong; null for standard error.</param>
    public static async Task<int> RunAsync(string[] args, TextWriter? error = null)
    {
        error ??= Console.Error;
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
}
