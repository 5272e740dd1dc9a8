using System.Globalization;
using Wcwidth;

namespace ChordChat.Client.Terminal;

/// <summary>How many columns text takes on a terminal: 0 for combining marks, 2 for wide characters, else 1.</summary>
internal static class TextWidth
{
    private const int Joiner = 0x200D;
    private const int EmojiPicture = 0xFE0F;

    public static int Of(string text)
    {
        var width = 0;
        foreach (var element in Elements(text))
            width += OfElement(element);
        return width;
    }

    /// <summary>The width of one text element (what a person sees as one character): its characters' together, but
    /// what is joined into one picture is as wide as its widest part, and a picture is two columns wide.</summary>
    public static int OfElement(ReadOnlySpan<char> element)
    {
        var (sum, widest, isJoined, isPicture) = (0, 0, false, false);
        foreach (var rune in element.EnumerateRunes())
        {
            var width = Math.Max(0, UnicodeCalculator.GetWidth(rune.Value));
            (sum, widest) = (sum + width, Math.Max(widest, width));
            isJoined |= rune.Value == Joiner;
            isPicture |= rune.Value == EmojiPicture;
        }

        return isPicture ? 2 : isJoined ? widest : sum;
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
