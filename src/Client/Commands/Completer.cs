namespace ChordChat.Client.Commands;

/// <summary>What Tab offers: commands at the start of a line, then the names of people.</summary>
internal static class Completer
{
    private static readonly string[] TakeUser =
        ["/msg", "/chat", "/status", "/verify", "/accept", "/where", "/block", "/unblock"];

    /// <param name="before">The text before the cursor.</param>
    /// <param name="names">Everybody this client knows, in the order in which to offer them.</param>
    public static IReadOnlyList<string> Complete(string before, IEnumerable<string> names)
    {
        var words = before.Split(' ');
        var last = words[^1];
        if (words.Length == 1)
            return last.StartsWith('/') ? Starting(CommandParser.Known.Select(known => known.Name), last) : [];
        return words.Length == 2 && TakeUser.Contains(words[0].ToLowerInvariant())
            ? Starting(names, last)
            : [];
    }

    private static List<string> Starting(IEnumerable<string> words, string prefix) =>
        [.. words.Distinct().Where(word => word.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))];
}
