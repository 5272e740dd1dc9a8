using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ChordChat.Wire;

/// <summary>What nodes say about themselves and others, within bounds. A node may lie; it may not break a client or
/// the page, or write on anybody's screen.</summary>
public static class NodeWords
{
    /// <summary>More copies, members or nodes than this are not listed.</summary>
    public const int ListMax = 64;

    private const int NameMax = 64;
    private const int TextMax = 300;

    /// <summary>The name of a node; "?" for what cannot be one.</summary>
    public static string Name(string said) => IsName(said) ? said : "?";

    /// <summary>The name that the authority has given a node; what it says itself where its certificate has
    /// none.</summary>
    public static string NameOf(X509Certificate2 certificate, string said) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } given
            ? Name(given) : Name(said);

    /// <summary>The names in a list, without what cannot be one.</summary>
    public static IEnumerable<string> Names(IEnumerable<string> said) => said.Take(ListMax).Where(IsName);

    /// <summary>A line for people: no line break, no escape, not endless.</summary>
    public static string Text(string said)
    {
        var clean = new StringBuilder();
        foreach (var rune in said.EnumerateRunes().Take(TextMax))
            clean.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? Rune.ReplacementChar : rune);
        return clean.ToString();
    }

    /// <summary>The same between quotation marks, so that it ends where it ends: whoever shows it says whose words
    /// these are.</summary>
    public static string Quote(string said) => $"\"{Text(said).Replace('"', '\'')}\"";

    /// <summary>A number of copies or members.</summary>
    public static int Count(uint said) => (int)Math.Min(said, ListMax);

    /// <summary>A time in Unix ms; null when it is not known or cannot be one.</summary>
    public static DateTimeOffset? Time(long said) =>
        said > 0 && said <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(said) : null;

    private static bool IsName(string said) =>
        said.Length is > 0 and <= NameMax && said.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
