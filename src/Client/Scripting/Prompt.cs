using System.Text;
using ChordChat.Client.Terminal;

namespace ChordChat.Client.Scripting;

/// <summary>Asks a person for a line.</summary>
internal static class Prompt
{
    /// <returns>Null at the end of the input.</returns>
    public static string? Line(string prompt)
    {
        Output.Ask(prompt);
        return Console.In.ReadLine()?.Trim();
    }

    /// <summary>Reads a password without showing it.</summary>
    public static string Password(string prompt)
    {
        Output.Ask(prompt);
        if (Console.IsInputRedirected)
            return Console.In.ReadLine() ?? "";
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
