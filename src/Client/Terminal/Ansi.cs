using System.Globalization;

namespace ChordChat.Client.Terminal;

/// <summary>The few escape sequences (ECMA-48) that every terminal understands.</summary>
internal static class Ansi
{
    public const string ClearToEnd = "\r\u001b[J";
    public const string HideCursor = "\u001b[?25l";
    public const string ShowCursor = "\u001b[?25h";
    public const string MarkPastes = "\u001b[?2004h";
    public const string MarkPastesNoMore = "\u001b[?2004l";
    public const string ClearScreen = "\u001b[2J\u001b[H";

    /// <summary>What does not fit into a row stays at its end: terminals differ on how wide characters are.</summary>
    public const string WrapOff = "\u001b[?7l";
    public const string WrapOn = "\u001b[?7h";

    public static string Up(int rows) => Move(rows, 'A');

    public static string Down(int rows) => Move(rows, 'B');

    public static string Right(int columns) => Move(columns, 'C');

    public static string Paint(string text, Style style) => style switch
    {
        Style.Plain => text,
        Style.Dim => $"\u001b[2m{text}\u001b[0m",
        Style.Bold => $"\u001b[1m{text}\u001b[0m",
        Style.Good => $"\u001b[32m{text}\u001b[0m",
        Style.Warning => $"\u001b[33m{text}\u001b[0m",
        Style.Bad => $"\u001b[31m{text}\u001b[0m",
        Style.Accent => $"\u001b[36m{text}\u001b[0m",
        _ => text,
    };

    private static string Move(int count, char direction) =>
        count <= 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"\u001b[{count}{direction}");
}
