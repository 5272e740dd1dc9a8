using System.Globalization;
using System.Text;

namespace ChordChat.Client.Terminal;

/// <summary>How many columns text takes on a terminal: 0 for combining marks, 2 for wide characters, else 1.</summary>
internal static class TextWidth
{
    // East Asian Wide and Fullwidth blocks and emoji, from Unicode's EastAsianWidth; first and last of each range.
    private static readonly int[] Wide =
    [
        0x1100, 0x115F, 0x231A, 0x231B, 0x23E9, 0x23EC, 0x2614, 0x2615, 0x2648, 0x2653, 0x26A1, 0x26A1,
        0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26D4, 0x26D4, 0x26EA, 0x26EA, 0x2705, 0x2705, 0x270A, 0x270B,
        0x2728, 0x2728, 0x274C, 0x274C, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x2B50, 0x2B50,
        0x2E80, 0x303E, 0x3041, 0x33FF, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xA000, 0xA4CF, 0xA960, 0xA97F,
        0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F, 0xFF00, 0xFF60, 0xFFE0, 0xFFE6, 0x1F300, 0x1F64F,
        0x1F680, 0x1F6FF, 0x1F7E0, 0x1F7EB, 0x1F900, 0x1F9FF, 0x1FA70, 0x1FAFF, 0x20000, 0x3FFFD,
    ];

    public static int Of(string text)
    {
        var width = 0;
        foreach (var element in Elements(text))
            width += OfElement(element);
        return width;
    }

    /// <summary>The width of one text element (what a person sees as one character).</summary>
    public static int OfElement(ReadOnlySpan<char> element)
    {
        Rune.DecodeFromUtf16(element, out var first, out _);
        if (Rune.GetUnicodeCategory(first) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.Format or UnicodeCategory.Control)
            return 0;
        for (var i = 0; i < Wide.Length; i += 2)
            if (first.Value >= Wide[i] && first.Value <= Wide[i + 1])
                return 2;
        // A variation selector 16 asks for the emoji picture, which is wide.
        return element.Contains('\uFE0F') ? 2 : 1;
    }

    public static IEnumerable<string> Elements(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var length = StringInfo.GetNextTextElementLength(text, i);
            yield return text.Substring(i, length);
            i += length;
        }
    }
}
