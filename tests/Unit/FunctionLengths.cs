using System.Text.RegularExpressions;

namespace ChordChat.Tests.Unit;

/// <summary>Finds functions by their indentation, which the formatter keeps.</summary>
/// <remarks>
/// A function is a line that ends a parameter list, not a statement, followed by a lone brace; it ends at the brace of
/// the same indentation. What is measured is the body with its braces. Expression bodies and types are not measured.
/// </remarks>
internal static partial class FunctionLengths
{
    public static IEnumerable<(string Name, int At, int Lines)> Of(string[] lines)
    {
        for (var open = 1; open < lines.Length; open++)
        {
            if (lines[open].Trim() != "{" || NameAbove(lines, open) is not { } name)
                continue;
            var end = lines[open].Replace('{', '}');
            var close = Array.FindIndex(
                lines, open, line => line.StartsWith(end, StringComparison.Ordinal));
            if (close > 0)
                yield return (name, open, close - open + 1);
        }
    }

    /// <summary>The name of the function whose head ends just above this brace, or null if it is no function.</summary>
    private static string? NameAbove(string[] lines, int open)
    {
        var indentation = lines[open].Length - lines[open].TrimStart().Length;
        var first = open - 1;
        while (first > 0 && Indentation(lines[first]) > indentation)
            first--;
        var head = string.Join(' ', lines[first..open].Select(line => line.Trim()));
        var match = Head().Match(head);
        return match.Success && !Statement().IsMatch(head[..head.IndexOf('(', StringComparison.Ordinal)])
            ? match.Groups["name"].Value
            : null;
    }

    private static int Indentation(string line) =>
        string.IsNullOrWhiteSpace(line) ? int.MaxValue : line.Length - line.TrimStart().Length;

    [GeneratedRegex(@"^[^(=]*?(?<name>\w+)(<[\w, ]*>)?\(.*\)( where .*| : (base|this)\(.*\))?$")]
    private static partial Regex Head();

    [GeneratedRegex(
        @"^(if|else|for|foreach|while|switch|using|lock|catch|fixed|await|return|do|new)\b|\b(class|struct|record)\b")]
    private static partial Regex Statement();
}
