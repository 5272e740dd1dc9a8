using System.Globalization;
using System.Text;
using Wcwidth;

namespace ChordChat.Client.Terminal;

/// <summary>How many columns text takes on a terminal: 0 for combining marks, 2 for wide characters, else 1.</summary>
/// <remarks>Terminals differ: some draw joined emoji as one picture, some as all of them; some give a spacing mark a
/// column. So there are two counts: the likely one places the cursor, the largest one breaks rows.</remarks>
internal static class TextWidth
{
    private const int Joiner = 0x200D;
    private const int EmojiPicture = 0xFE0F;
    private const int PicturesFrom = 0x1F000;
    private const int PicturesTo = 0x1FBFF;

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

    /// <summary>The most columns that a terminal may use.</summary>
    public static int MostOf(string text)
    {
        var most = 0;
        foreach (var rune in text.EnumerateRunes())
            most += MostOf(rune);
        return most;
    }

    private static int MostOf(Rune rune)
    {
        if (rune.Value is >= ' ' and <= '~')
            return 1;
        var width = Math.Max(0, UnicodeCalculator.GetWidth(rune.Value));
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark =>
                rune.Value == EmojiPicture ? 1 : width, // It makes a sign of one column a picture of two.
            UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse => 2, // Newer terminals may know better.
            _ when rune.Value is >= PicturesFrom and <= PicturesTo => 2, // Letters of flags, too.
            _ => Math.Max(1, width),
        };
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
