using System.Globalization;
using System.Text;

namespace ChordChat.Client.Terminal;

/// <summary>Makes other people's text harmless: it may not move the cursor, change colours or reverse the
/// line.</summary>
internal static class Printable
{
    /// <returns>The text, its line feeds kept: who prints it indents what follows them.</returns>
    public static string Of(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value == '\t')
                clean.Append("    ");
            else if (rune.Value == '\n')
                clean.Append('\n');
            else if (rune.Value == '\r')
                continue;
            else if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate || IsDirection(rune.Value))
                clean.Append('\uFFFD');
            else
                clean.Append(rune);
        return clean.ToString();
    }

    /// <returns>The text on one line.</returns>
    public static string Line(string text) => Of(text).Replace('\n', ' ');

    /// <summary>Writes signs that reverse a line as JSON escapes; for whole JSON texts.</summary>
    public static string EscapeDirections(string json)
    {
        if (!json.Any(sign => IsDirection(sign)))
            return json;
        var escaped = new StringBuilder(json.Length);
        foreach (var sign in json)
            if (IsDirection(sign))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)sign:x4}");
            else
                escaped.Append(sign);
        return escaped.ToString();
    }

    private static bool IsDirection(int value) =>
        value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x200E or 0x200F or 0x061C;
}
