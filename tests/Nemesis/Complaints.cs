namespace ChordChat.Tests.Nemesis;

/// <summary>What nodes logged as errors.</summary>
internal static class Complaints
{
    private const int TraceLinesMax = 12;
    private static readonly int TimeLength = "2026-01-01 00:00:00.000".Length;

    /// <summary>Each different one once, with who said it first, how often it was said, and the exception.</summary>
    public static IReadOnlyList<string> Of(string home)
    {
        var found = new Dictionary<string, (string First, int Count)>(StringComparer.Ordinal);
        foreach (var log in Directory.GetFiles(home, "n*.log").Order(StringComparer.Ordinal))
        {
            var lines = File.ReadAllLines(log);
            for (var i = 0; i < lines.Length; i++)
                if (IsError(lines[i]))
                {
                    var text = lines[i][TimeLength..].Trim();
                    var cause = i + 1 < lines.Length && !IsEntry(lines[i + 1]) ? lines[i + 1] : "";
                    var trace = lines.Skip(i + 1).TakeWhile(line => !IsEntry(line)).Take(TraceLinesMax);
                    var all = string.Join('\n', trace.Prepend($"{Path.GetFileName(log)} {lines[i]}"));
                    var seen = found.GetValueOrDefault(text + cause, (First: all, Count: 0));
                    found[text + cause] = (seen.First, seen.Count + 1);
                }
        }

        return [.. found.Values.Select(one => one.Count > 1 ? $"{one.First}\n  ({one.Count} times)" : one.First)];
    }

    private static bool IsError(string line) => IsEntry(line) && line[TimeLength..] is [' ', .. var rest]
        && (rest.StartsWith("ERR ", StringComparison.Ordinal) || rest.StartsWith("FTL ", StringComparison.Ordinal));

    private static bool IsEntry(string line) => line.Length > TimeLength && line[4] == '-' && line[13] == ':';
}
