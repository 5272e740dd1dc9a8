using System.Globalization;
using System.Text.RegularExpressions;

namespace ChordChat.Tests.Nemesis;

/// <summary>What became of tiles, by the logs of the nodes.</summary>
/// <param name="Changes">Decisions of new members, a cut for each of its halves.</param>
/// <param name="Tiles">Different tiles among them.</param>
/// <param name="NarrowestBits">Of the narrowest tile among them; 7 before any is cut.</param>
/// <param name="Pauses">Of each burst of changes at a node: how many tiles, and how long copies answered
/// nothing.</param>
internal sealed partial record TileChanges(int Changes, int Tiles, int NarrowestBits, IReadOnlyList<TilePause> Pauses)
{
    public static TileChanges Of(string home)
    {
        var changed = new List<string>();
        var pauses = new List<TilePause>();
        foreach (var line in Directory.GetFiles(home, "n*.log").SelectMany(File.ReadLines))
            if (Moved().Match(line) is { Success: true } moved)
                changed.Add(moved.Groups["tile"].Value);
            else if (Paused().Match(line) is { Success: true } paused)
                pauses.Add(new(Number(paused, "count"), Number(paused, "half"), Number(paused, "most")));
        return new(
            changed.Count, changed.Distinct().Count(),
            changed.Select(tile => int.Parse(tile.Split('/')[1], CultureInfo.InvariantCulture)).DefaultIfEmpty(7).Max(),
            pauses);
    }

    public override string ToString()
    {
        var text = $"tiles: {Changes} changes of {Tiles} tiles, the narrowest of {NarrowestBits} bits";
        if (Pauses.Count == 0)
            return text;
        var half = Pauses.OrderBy(burst => burst.HalfMs).ToArray()[Pauses.Count / 2].HalfMs;
        return $"{text}; {Pauses.Sum(burst => burst.Count)} pauses in {Pauses.Count} bursts, half of a burst "
            + $"within {half} ms (half of the bursts), the longest pause of a copy "
            + $"{Pauses.Max(burst => burst.LongestMs)} ms";
    }

    private static int Number(Match match, string name) =>
        int.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"tile (?<tile>[0-9a-f]+/\d+) is now kept by")]
    private static partial Regex Moved();

    [GeneratedRegex(
        @"(?<count>\d+) tiles kept here have changed members; each paused: median (?<half>\d+) ms, .* "
        + @"max (?<most>\d+) ms")]
    private static partial Regex Paused();
}

internal sealed record TilePause(int Count, int HalfMs, int LongestMs);
