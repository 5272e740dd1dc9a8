using System.Text;
using ChordChat.Client.Terminal;

namespace ChordChat.Client.Scripting;

/// <summary>Asks a person for a line.</summary>
internal static class Prompt
{
    /// <summary>Whether a question waits for its answer now.</summary>
    public static bool IsOpen { get; private set; }

    /// <returns>Null at the end of the input.</returns>
    public static string? Line(string prompt) => Ask(prompt, Console.In.ReadLine)?.Trim();

    /// <summary>Reads a password without showing it.</summary>
    public static string Password(string prompt) =>
        Ask(prompt, Console.IsInputRedirected ? Console.In.ReadLine : ReadUnseen) ?? "";

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

    private static string ReadUnseen()
    {
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                typed.Length--;
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        Output.Say("");
        return typed.ToString();
    }
}
