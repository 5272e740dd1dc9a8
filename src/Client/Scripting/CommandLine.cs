using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;

namespace ChordChat.Client.Scripting;

/// <summary>The table of what <c>chordchat</c> understands. Without a command it opens the console chat.</summary>
internal static class CommandLine
{
    public const int Failed = 1;
    public const int Misused = 2;

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "print one JSON object per line",
        Recursive = true,
        Arity = ArgumentArity.Zero,
    };

    private static readonly Option<string?> Profile = new("--profile")
    {
        Description = "folder of keys and history (CHORDCHAT_PROFILE; default ~/.chordchat/USER)",
        Recursive = true,
        HelpName = "DIR",
    };

    private static readonly Option<string[]> Node = new("--node")
    {
        Description = "a node to talk to, repeatable (or set CHORDCHAT_NODES); without it chordchat looks for nodes",
        Recursive = true,
        HelpName = "HOST:PORT",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<string?> PasswordFile = new("--password-file")
    {
        Description = "file whose first line is the password (or set CHORDCHAT_PASSWORD)",
        Recursive = true,
        HelpName = "F",
    };

    private static readonly Option<string?> User = new("--user")
    {
        Description = "whose profile to use when there are several",
        Recursive = true,
    };

    private static readonly Option<string?> Trust = new("--trust")
    {
        Description = "fingerprint of the cluster's authority, for the first registration or login on this machine "
            + "(or set CHORDCHAT_TRUST); nodes of other clusters are skipped",
        Recursive = true,
        HelpName = "FINGERPRINT",
    };

    private static readonly Argument<string> Name = new("user") { Description = "a user's name" };

    public static async Task<int> RunAsync(string[] args)
    {
        Output.Prepare();
        using var ending = new Ending();
        try
        {
            var parsed = Build().Parse(args, WordsAreWords);
            if (MistakeIn(parsed, args) is not { } mistake)
                return await parsed.InvokeAsync(
                    new InvocationConfiguration
                    {
                        EnableDefaultExceptionHandler = false,
                        ProcessTerminationTimeout = null, // Its own handling fails at a second signal.
                    },
                    ending.Told);
            ScriptContext.Complain(args.Contains("--json"), mistake);
            return Misused;
        }
        catch (OperationCanceledException)
        {
            return ending.Code;
        }
        catch (ChordChatException cause) when (cause.Code == Output.Closed)
        {
            return Failed; // Whoever has left has seen enough.
        }
        catch (Exception cause)
        {
            ScriptContext.Complain(args.Contains("--json"), cause as ChordChatException ?? new ChordChatException(
                "bug", $"this should not happen: {cause.GetType().Name}: {cause.Message}",
                "please report it", cause));
            return Failed;
        }
    }

    private static ChordChatException? MistakeIn(ParseResult parsed, string[] args) =>
        Replaced.ArgumentIn(args) is { } replaced
            ? new("usage", $"'{replaced}' is not UTF-8, so nothing was done", "convert it first, as with iconv")
        : SwitchWithValue(parsed, args) is { } valued
            ? new("usage", $"'{valued}': this option takes no value", SendCommand.TextHint)
        : HelpInText(parsed) is { } word
            ? new("usage", $"'{word}' asks for help, so nothing was sent",
                $"{SendCommand.TextHint}; for help: chordchat send --help")
        : parsed.Errors is [var error, ..]
            ? new("usage", OneLine(error.Message), args.Contains("send")
                ? "a text that begins with '-' goes after --: chordchat send USER -- TEXT"
                : "chordchat --help lists commands and options")
        : null;

    /// <summary>As in <c>--json=no</c>, which would be the option and a word of the text.</summary>
    internal static string? SwitchWithValue(ParseResult parsed, string[] args) => args
        .TakeWhile(arg => arg != "--")
        .FirstOrDefault(arg => parsed.CommandResult.Command.Options.Append(Json)
            .Any(option => option is Option<bool> && arg.Length > option.Name.Length
                && arg.StartsWith(option.Name, StringComparison.Ordinal) && arg[option.Name.Length] is '=' or ':'));

    /// <summary>A word of a text that would print help, and send nothing, as if all were well.</summary>
    /// <returns>Null where help was asked for, or nothing of it was said.</returns>
    internal static string? HelpInText(ParseResult parsed)
    {
        if (parsed.Action is not HelpAction || parsed.CommandResult.Command.Name != "send"
            || !parsed.CommandResult.Children.OfType<ArgumentResult>().Any(words => words.Tokens.Count > 0))
            return null;
        var words = parsed.Tokens.Select(token => token.Value).ToList();
        var after = words[(words.IndexOf("send") + 1)..];
        return after is [] || IsHelp(after[0]) ? null : after.Find(IsHelp);

        static bool IsHelp(string word) => word is "--help" or "-h";
    }

    /// <summary>What the parser says, without the line breaks between choices and the full stop at the end.</summary>
    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');

    /// <summary>A word that begins with @ is no file to read words from.</summary>
    internal static readonly ParserConfiguration WordsAreWords = new() { ResponseFileTokenReplacer = null };

    internal static RootCommand Build()
    {
        var root = new RootCommand("Chat on a decentralised cluster. Without a command, opens the console.");
        foreach (var help in root.Options.OfType<HelpOption>())
            foreach (var word in (string[])["/h", "/?", "-?"]) // Words of a text: "use /? for help".
                help.Aliases.Remove(word);
        foreach (var option in new Option[] { Json, Profile, Node, PasswordFile, User, Trust })
            root.Options.Add(option);
        foreach (var option in new Option[] { Profile, Node, PasswordFile, User, Trust })
            Values.NotEmpty(option);
        root.SetAction((parsed, cancellation) =>
            GuardAsync(parsed, context => ConsoleProgram.RunAsync(context, cancellation)));
        root.Subcommands.Add(Register());
        root.Subcommands.Add(Command("login", "log in on this machine", AccountCommands.LogInAsync));
        root.Subcommands.Add(Command("status", "whether somebody is online", QueryCommands.StatusAsync));
        root.Subcommands.Add(Command(
            "where", "which nodes keep somebody's mailbox, and which answer now", QueryCommands.WhereAsync));
        root.Subcommands.Add(Command("block", "block somebody: their messages are refused", BlockCommands.BlockAsync));
        root.Subcommands.Add(Command("unblock", "unblock somebody", BlockCommands.UnblockAsync));
        root.Subcommands.Add(Blocked());
        root.Subcommands.Add(Requests());
        root.Subcommands.Add(Command("accept", "accept a request: show its messages, and later ones as they come",
            RequestCommands.AcceptAsync));
        root.Subcommands.Add(Send());
        root.Subcommands.Add(Resend());
        root.Subcommands.Add(Tail());
        root.Subcommands.Add(History());
        return root;
    }

    private static Command Command(
        string name, string description, Func<ScriptContext, string, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description) { Name };
        command.SetAction((parsed, cancellation) =>
            GuardAsync(parsed, context => run(context, parsed.GetValue(Name)!, cancellation)));
        return command;
    }

    private static Command Register()
    {
        var invitation = new Option<string?>("--invitation")
        {
            Description = "code from the cluster's operator, where registering needs one. Others on this machine can "
                + "see it here: leave it out, and 'register' asks for it; scripts set "
                + $"{InvitationAtHand.Variable} or use {InvitationAtHand.Option}",
            HelpName = "CODE",
        };
        var file = new Option<string?>(InvitationAtHand.Option)
        {
            Description = $"file whose first line is the code (or set {InvitationAtHand.Variable})",
            HelpName = "FILE",
        };
        Values.NotEmpty(file);
        var command = new Command("register", "create an account") { Name, invitation, file };
        command.SetAction((parsed, cancellation) => GuardAsync(parsed, context => AccountCommands.RegisterAsync(
            context, parsed.GetValue(Name)!,
            InvitationAtHand.Find(parsed.GetValue(invitation), parsed.GetValue(file)), cancellation)));
        return command;
    }

    private static Command Blocked()
    {
        var command = new Command("blocked", "list whom you have blocked; works offline");
        command.SetAction((parsed, _) => GuardAsync(parsed, BlockCommands.ListAsync));
        return command;
    }

    private static Command Requests()
    {
        var setting = new Argument<string?>("on|off")
        {
            Description = "on (default): messages from people you never wrote to wait; off: they are shown at once",
            Arity = ArgumentArity.ZeroOrOne,
        };
        setting.AcceptOnlyFromAmong("on", "off");
        var command = new Command(
            "requests",
            "list requests to chat from people you never wrote to, or turn them on or off; works offline")
        {
            setting,
        };
        command.SetAction((parsed, _) => GuardAsync(parsed, context => parsed.GetValue(setting) is { } wanted
            ? RequestCommands.SwitchAsync(context, wanted == "on")
            : RequestCommands.ListAsync(context)));
        return command;
    }

    private static Command Send()
    {
        var words = new Argument<string[]>("user text")
        {
            Description = "the recipient, then the text; with '-' as text, each line of standard input is a message; "
                + "with '-' alone, each line is a user, a space and a text; after -- everything is text",
            Arity = ArgumentArity.OneOrMore,
        };
        var (wait, timeout) = (Wait(), Timeout(15));
        var accept = new Option<bool>("--accept-identity")
        {
            Description = "agree to write to a new identity of the recipient (compare safety numbers first)",
            Arity = ArgumentArity.Zero,
        };
        var command = new Command("send", "send messages") { words, wait, timeout, accept };
        command.SetAction((parsed, cancellation) => GuardAsync(parsed, context => SendCommand.RunAsync(
            context, SendCommand.Lines(parsed.GetValue(words)!, IsAfterDashes(parsed)), parsed.GetValue(wait)!,
            TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(accept), cancellation)));
        return command;
    }

    private static Command Resend()
    {
        var (wait, timeout) = (Wait(), Timeout(15));
        var command = new Command(
            "resend", "send what was still waiting here when you logged out or logged in elsewhere")
        {
            wait, timeout,
        };
        command.SetAction((parsed, cancellation) => GuardAsync(parsed, context => SendCommand.ResendAsync(
            context, parsed.GetValue(wait)!, TimeSpan.FromSeconds(parsed.GetValue(timeout)), cancellation)));
        return command;
    }

    private static Option<string> Wait()
    {
        var wait = new Option<string>("--wait")
        {
            Description = "what to wait for: kept (on disk at a majority) or delivered",
            DefaultValueFactory = _ => "kept",
        };
        wait.AcceptOnlyFromAmong("kept", "delivered");
        return wait;
    }

    /// <summary>Whether the last word came after <c>--</c>, so that it means nothing but itself.</summary>
    private static bool IsAfterDashes(ParseResult parsed) => parsed.Tokens
        .SkipWhile(token => token.Type != TokenType.DoubleDash).Skip(1).Any();

    private static Command Tail()
    {
        var count = new Option<int?>("--count") { Description = "end after this many messages", HelpName = "N" };
        Numbers.AtLeastOne(count);
        var timeout = new Option<double?>("--timeout")
        {
            Description = "end after this many seconds; with code 1 if --count is given and fewer messages have come",
            HelpName = "S",
        };
        Numbers.Seconds(timeout);
        var requests = new Option<bool>("--requests")
        {
            Description = "also messages from people you never wrote to",
            Arity = ArgumentArity.Zero,
        };
        var command = new Command("tail", "print messages as they come") { count, timeout, requests };
        command.SetAction((parsed, cancellation) => GuardAsync(parsed, context => TailCommand.RunAsync(
            context, parsed.GetValue(count), parsed.GetValue(timeout) is { } s ? TimeSpan.FromSeconds(s) : null,
            parsed.GetValue(requests), cancellation)));
        return command;
    }

    private static Command History()
    {
        var limit = new Option<int?>("--limit")
        {
            Description = "only the newest N messages; without it, all",
            HelpName = "N",
        };
        Numbers.AtLeastOne(limit);
        var command = new Command("history", "print what this machine remembers; works offline") { Name, limit };
        command.SetAction((parsed, _) => GuardAsync(parsed, context =>
            Task.FromResult(QueryCommands.History(
                context, parsed.GetValue(Name)!, parsed.GetValue(limit) ?? int.MaxValue))));
        return command;
    }

    private static Option<double> Timeout(double seconds)
    {
        var timeout = new Option<double>("--timeout")
        {
            Description = "how many seconds to wait; after that it ends with code 1 and says how far each message has "
                + "come. Nothing is taken back: what is not kept yet goes out with the next session",
            HelpName = "S",
            DefaultValueFactory = _ => seconds,
        };
        Numbers.Seconds(timeout);
        return timeout;
    }

    private static async Task<int> GuardAsync(ParseResult parsed, Func<ScriptContext, Task<int>> run)
    {
        var json = parsed.GetValue(Json);
        try
        {
            if (parsed.GetValue(User) is { } user)
                Accounts.CheckName(user); // It becomes part of a path.
            var context = new ScriptContext(
                json, parsed.GetValue(Profile), parsed.GetValue(Node) ?? [], parsed.GetValue(PasswordFile),
                parsed.GetValue(User), parsed.GetValue(Trust));
            // Not on the thread that waits for signals: a command may wait for its input as long as it likes.
            return await Task.Run(() => run(context));
        }
        catch (ChordChatException cause) when (cause.Code != Output.Closed)
        {
            ScriptContext.Complain(json, cause);
            return cause.Code == "usage" ? Misused : Failed;
        }
    }
}
