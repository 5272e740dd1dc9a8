using System.Globalization;
using static ChordChat.Client.Commands.ConsoleCommand;

namespace ChordChat.Client.Commands;

/// <summary>Reads a typed line. A line that starts with two slashes says the text after the first.</summary>
internal static class CommandParser
{
    /// <summary>Name, arguments and meaning of each command, in the order in which help shows them.</summary>
    public static readonly IReadOnlyList<(string Name, string Arguments, string Meaning)> Known =
    [
        ("/help", "", "show this list"),
        ("/msg", "<user> <text>", "send a message to somebody; opens that chat if none is open"),
        ("/chat", "<user>", "open a chat: what you type from then on goes there"),
        ("/history", "[n]", "show the last n messages of the open chat (20)"),
        ("/who", "", "who is online, on any node"),
        ("/status", "<user>", "whether somebody is online"),
        ("/verify", "<user> [ok]", "show the safety number you share; if both see the same: /verify <user> ok"),
        ("/requests", "[on|off]", "requests to chat from people you never wrote to; off: show their messages at once"),
        ("/accept", "<user>", "accept somebody's request to chat, or agree to write to their new identity"),
        ("/block", "<user>", "block somebody: their messages are refused"),
        ("/unblock", "<user>", "unblock somebody"),
        ("/blocked", "", "list whom you have blocked"),
        ("/where", "<user>", "which nodes keep somebody's mailbox, and which answer now"),
        ("/resend", "", "send what was still waiting here when you logged out or logged in elsewhere"),
        ("/logout", "", "end the session and forget this device's keys; history stays"),
        ("/quit", "", "leave; the session ends, keys and history stay"),
    ];

    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["/?"] = "/help",
        ["/exit"] = "/quit",
        ["/q"] = "/quit",
    };

    /// <summary>Reads pasted lines. They are one text, not commands. If they begin with a command's name, nobody can
    /// know which of the two was meant: then they are neither.</summary>
    public static ConsoleCommand ParsePasted(string lines)
    {
        var name = lines.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries) is [var word, ..]
            ? word.ToLowerInvariant()
            : "";
        return Known.Any(known => known.Name == name) || OtherNames.ContainsKey(name)
            ? new Misunderstood(
                $"nothing was sent or done: you pasted several lines, and the first begins with the command {name}. "
                + "Paste commands one by one. To send these lines as text, press arrow up, Home, / and Enter")
            : new Say(lines);
    }

    /// <param name="line">What was typed.</param>
    /// <param name="openChat">The chat that is open, for commands that may leave the user out.</param>
    public static ConsoleCommand Parse(string line, string? openChat)
    {
        var trimmed = line.Trim();
        if (trimmed.Length == 0)
            return new Nothing();
        if (trimmed[0] != '/')
            return new Say(line);
        if (trimmed.StartsWith("//", StringComparison.Ordinal))
            return new Say(trimmed[1..]);
        var (command, rest) = FirstWord(trimmed);
        var name = command.ToLowerInvariant();
        var user = rest.Length > 0 ? rest : openChat;
        return OtherNames.GetValueOrDefault(name, name) switch
        {
            "/help" => new Help(),
            "/msg" => ParseMessage(rest),
            "/chat" => new OpenChat(rest),
            "/history" => ParseHistory(rest),
            "/who" => new Who(),
            "/status" when user is not null => new Status(user),
            "/verify" when user is not null => ParseVerify(user, openChat),
            "/requests" when rest is "" or "on" or "off" => new Requests(rest == "" ? null : rest == "on"),
            "/accept" when rest.Length > 0 && !rest.Contains(' ') => new Accept(rest),
            "/block" when rest.Length > 0 && !rest.Contains(' ') => new Block(rest),
            "/unblock" when rest.Length > 0 && !rest.Contains(' ') => new Unblock(rest),
            "/blocked" => new Blocked(),
            "/where" when user is not null => new Where(user),
            "/resend" => new Resend(),
            "/logout" => new LogOut(),
            "/quit" => new Quit(),
            _ => Explain(name),
        };
    }

    private static ConsoleCommand ParseMessage(string rest)
    {
        var (user, text) = FirstWord(rest);
        return text.Length == 0 ? Explain("/msg") : new Message(user, text);
    }

    /// <summary>The word that a text begins with, and what follows the space behind it.</summary>
    /// <param name="trimmed">Without space at its ends.</param>
    private static (string First, string Others) FirstWord(string trimmed)
    {
        var end = trimmed.TakeWhile(letter => !char.IsWhiteSpace(letter)).Count();
        return (trimmed[..end], trimmed[end..].TrimStart());
    }

    private static ConsoleCommand ParseHistory(string rest) =>
        rest.Length == 0 ? new History(20)
        : int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? new History(Math.Min(count, 10_000))
            : Explain("/history");

    private static ConsoleCommand ParseVerify(string user, string? openChat)
    {
        var words = user.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["ok"] when openChat is not null => new Verify(openChat, Confirmed: true),
            [var name] => new Verify(name, Confirmed: false),
            [var name, "ok"] => new Verify(name, Confirmed: true),
            _ => Explain("/verify"),
        };
    }

    private static Misunderstood Explain(string name)
    {
        foreach (var (known, arguments, _) in Known)
            if (known == name)
                return new Misunderstood($"usage: {known} {arguments}".TrimEnd());
        return new Misunderstood(
            $"unknown command {name}; /help lists all. To send a text that begins with /, type //");
    }
}
