using System.CommandLine;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Wire;

namespace ChordChat.Node.Commands;

/// <summary>cluster join: makes this machine a node, with a token that is read from standard input or a
/// file.</summary>
internal static class JoinCommand
{
    private const int TokenCharactersMax = 4096;

    private const string UsedUp = "This machine has not joined, and the token is used up: ask for another one "
        + "('chordchat-node cluster invite', with --node for another node).";

    private static readonly TimeSpan SettingsPatience = TimeSpan.FromSeconds(15);

    public static Command Create()
    {
        var word = new Argument<string?>("TOKEN") { Arity = ArgumentArity.ZeroOrOne, Hidden = true };
        var file = new Option<string?>("--token-file")
        {
            Description = "The file with the token that 'cluster invite' printed. Without it the token is read from "
                + "standard input.",
        };
        var data = CommandLine.DataOption("Where to write nodes/NAME, the new node's folder.");
        var name = new Option<string>("--name")
        {
            Description = "The expected name; a token for another node is refused.",
        };
        var command = new Command(
            "join", "Make this machine a node of a cluster, with a token from standard input or a file.")
        {
            word, file.Named(), data, name,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file);
            RefuseOnCommandLine(parsed.GetValue(word));
            if (path is null && !Console.IsInputRedirected)
                await Console.Error.WriteLineAsync("Paste the token that 'cluster invite' printed, then press Enter:");
            var token = path is null ? ReadToken(Console.In) : ReadTokenFile(path);
            var (folder, said) = await JoinAsync(
                token, parsed.GetRequiredValue(data), parsed.GetValue(name), SettingsPatience, cancellation);
            foreach (var line in said)
                await Console.Error.WriteLineAsync(line);
            Console.WriteLine($"joined. Start the node with:\n  chordchat-node run --data {ShellWord.Of(folder)}");
        });
        return command;
    }

    /// <summary>Accepts nothing, or the "-" of earlier versions.</summary>
    /// <exception cref="StartRefusedException">A token stands there, for all to read.</exception>
    public static void RefuseOnCommandLine(string? word)
    {
        if (word is not (null or "-"))
            throw new StartRefusedException(
                ExitCode.Usage, "a token on the command line can be read by everybody on this machine and stays in the "
                + "shell's history. Leave it out and paste it when asked, or name a file with --token-file. This "
                + "token may have been seen: ask for another ('chordchat-node cluster invite').");
    }

    /// <summary>The first line that is not empty.</summary>
    /// <exception cref="StartRefusedException">It is no token.</exception>
    public static JoinToken ReadToken(TextReader input)
    {
        var text = new char[TokenCharactersMax];
        var length = 0;
        // To the end of the first line with something in it: what is typed has no end.
        while (length < text.Length && input.Read() is var next && next >= 0)
        {
            if ((next is '\n' or '\r') && length > 0)
                break;
            if (!char.IsWhiteSpace((char)next))
                text[length++] = (char)next;
        }

        return JoinToken.TryParse(new(text, 0, length)) ?? throw new StartRefusedException(
            ExitCode.Usage, length == 0
                ? "no token was given. Paste all of the line that 'cluster invite' printed, or name a file with it by "
                    + "--token-file."
                : "this is not a whole join token; copy all of the line that 'cluster invite' printed.");
    }

    private static JoinToken ReadTokenFile(string path)
    {
        try
        {
            using var file = new StreamReader(path);
            return ReadToken(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(ExitCode.Usage, $"--token-file cannot be read: {e.Message}");
        }
    }

    /// <summary>Makes the new node's folder; it can be started only when all of it is there.</summary>
    /// <param name="patience">How long it asks for the settings that are to be the same at all nodes.</param>
    /// <returns>The folder, and what there is to say of those settings.</returns>
    public static async Task<(string Folder, IReadOnlyList<string> Said)> JoinAsync(
        JoinToken token, string data, string? name, TimeSpan patience, CancellationToken cancellation)
    {
        if (name is not null && name != token.Name)
            throw new StartRefusedException(
                ExitCode.Usage, $"this token is for {token.Name}, not {name}. Leave --name out, or ask for a token "
                + $"for {name} ('chordchat-node cluster invite --name {name}').");
        var folder = new ClusterFolder(data).NodeFolder(token.Name);
        if (File.Exists(Path.Combine(folder, GenesisFile.FileName)))
            throw new StartRefusedException(
                ExitCode.Usage, $"{folder} is a node's folder already. Name another --data, or move that folder away.");
        var bundle = await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, cancellation);
        try
        {
            var identity = bundle.Identity.Open(bundle.Genesis, bundle.Secret);
            var told = await ClusterSettingsFile.AskAsync(identity, token.Address, patience, cancellation);
            var said = ClusterSettingsFile.Write(folder, token.Address, told);
            bundle.Identity.Write(folder, bundle.Genesis, bundle.Secret); // Last: from here on it can be started.
            _ = NodeIdentity.Read(folder); // Says now, not at the first start, if anything does not fit.
            return (folder, said);
        }
        catch (StartRefusedException e)
        {
            throw new StartRefusedException(e.Code, $"{e.Message} {UsedUp}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                ExitCode.Storage,
                $"{folder} cannot be written: {e.Message} Make room or mend the disk first. {UsedUp}");
        }
    }
}
