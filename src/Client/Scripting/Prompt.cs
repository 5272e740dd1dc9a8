using System.Text;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary>Asks a person for a line.</summary>
internal static class Prompt
{
    private const char EndOfInput = '\u0004'; // Ctrl-D.

    /// <summary>Whether a question waits for its answer now.</summary>
    public static bool IsOpen { get; private set; }

    /// <returns>Null at the end of the input.</returns>
    public static string? Line(string prompt)
    {
        var typed = Ask(prompt, Console.In.ReadLine);
        if (typed is null && !Console.IsInputRedirected)
            Output.Say(""); // Ctrl-D leaves the cursor behind the question.
        return typed?.Trim();
    }

    /// <summary>Reads a password without showing it.</summary>
    /// <exception cref="ChordChatException"><c>no_password</c>: the input ended instead.</exception>
    public static string Password(string prompt) =>
        Ask(prompt, Console.IsInputRedirected ? Console.In.ReadLine : ReadUnseen) ?? throw new ChordChatException(
            "no_password", "no password was typed", "start again and type it");

    private static string? Ask(string prompt, Func<string?> read)
    {
        Output.Ask(prompt);
        IsOpen = true;
        try
        {
            return read();
        }
        finally
        {
            IsOpen = false;
        }
    }

    private static string? ReadUnseen()
    {
        var typed = Unseen(() => Console.ReadKey(intercept: true));
        Output.Say("");
        return typed;
    }

    /// <returns>Null when Ctrl-D is the first key.</returns>
    internal static string? Unseen(Func<ConsoleKeyInfo> read)
    {
        var typed = new StringBuilder();
        while (read() is var key && key.Key != ConsoleKey.Enter)
            if (key.KeyChar == EndOfInput && typed.Length == 0)
                return null;
            else if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                typed.Length--;
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        return typed.ToString();
    }
}
