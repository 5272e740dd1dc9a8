using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Commands;

/// <summary>Which tiles there are, as several nodes tell, one of which may lie.</summary>
/// <remarks>docs/protocol.md#generations, "Which tiles there are".</remarks>
/// <param name="told">Each node's name and list.</param>
internal sealed class TileLists(IReadOnlyCollection<(string Name, HashSet<TileId> Tiles)> told)
{
    /// <summary>Those that two nodes list; if no more than two have told their lists, those that either lists.
    /// </summary>
    public ImmutableArray<TileId> Tiles { get; } =
    [
        .. told.SelectMany(one => one.Tiles).GroupBy(tile => tile)
            .Where(same => same.Count() >= Math.Min(2, told.Count - 1)).Select(same => same.Key).Order(),
    ];

    /// <summary>Whose list differs, in words.</summary>
    public IEnumerable<string> Doubts()
    {
        foreach (var (name, list) in told.OrderBy(one => one.Name))
        {
            if (Tiles.Except(list).ToList() is [var lacking, ..] lacks)
                yield return $"{name} does not list {Text(lacking, lacks.Count)}, as others do: it lies, or has not "
                    + "heard yet that a tile was cut.";
            if (list.Except(Tiles).Order().ToList() is [var added, ..] adds)
                yield return $"Only {name} lists {Text(added, adds.Count)}: it lies, or the others have not heard yet "
                    + "that a tile was cut. This is passed over.";
        }
    }

    private static string Text(TileId first, int count) => count == 1
        ? $"tile {first}"
        : string.Create(CultureInfo.InvariantCulture, $"tile {first} and {count - 1} more");
}
