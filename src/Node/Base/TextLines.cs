using System.Globalization;
using System.Text;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace ChordChat.Node.Base;

/// <summary>One line for each event, as an operator reads it. What others have put into a text can neither begin a line
/// nor make the terminal show something else.</summary>
internal sealed class TextLines : ITextFormatter
{
    private static readonly MessageTemplateTextFormatter Line =
        new("{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {Message:lj}", CultureInfo.InvariantCulture);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        Line.Format(logEvent, line);
        output.WriteLine(Escaped(line.ToString()));
        if (logEvent.Exception is { } exception)
            foreach (var part in exception.ToString().Split('\n', StringSplitOptions.TrimEntries))
                output.WriteLine("   " + Escaped(part));
    }

    /// <summary>As JSON writes it, \u202E, in place of what has no shape of its own: controls, format characters, line
    /// ends and halves of characters.</summary>
    internal static string Escaped(string text)
    {
        if (text.All(c => c is >= ' ' and <= '~'))
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
            if (IsPlain(rune))
                escaped.Append(rune);
            else
                foreach (var unit in rune.ToString())
                    escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:X4}");
        return escaped.ToString();
    }

    private static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned);
}
