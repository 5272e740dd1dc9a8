using System.Globalization;
using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>DIR/cluster/generations: which generation of a tile was ordered last, so that none is ordered
/// twice.</summary>
/// <remarks>docs/protocol.md#generations. A line for each order, only ever added to: "5a/7 1".</remarks>
internal sealed class GenerationFile(string path)
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>The highest generation that was ever issued here of the tile, or of one that it may have been cut out
    /// of; 0 for none.</summary>
    public ulong Highest(TileId tile)
    {
        if (!File.Exists(path))
            return 0;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Highest(file, tile);
    }

    /// <summary>Takes a generation, for one order alone. It is on disk when this returns.</summary>
    /// <returns>False when it, or a later one, was issued before.</returns>
    public bool TryIssue(TileId tile, ulong generation)
    {
        using var file = Open(); // Nobody else has it open meanwhile.
        if (generation <= Highest(file, tile))
            return false;
        file.Seek(0, SeekOrigin.End);
        // The newline first, too: a line torn by a power cut is of an order that was never sent.
        file.Write(Encoding.ASCII.GetBytes($"\n{tile} {generation.ToString(Invariant)}\n"));
        file.Flush(flushToDisk: true);
        return true;
    }

    private FileStream Open()
    {
        if (!File.Exists(path))
            PrivateFiles.Write(path, []);
        return new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    private static ulong Highest(FileStream file, TileId tile)
    {
        file.Seek(0, SeekOrigin.Begin);
        using var reader = new StreamReader(file, Encoding.ASCII, leaveOpen: true);
        var highest = 0ul;
        while (reader.ReadLine() is { } line)
            if (line.Split(' ') is [var name, var number] && TileId.TryParse(name, out var of) && of.Contains(tile)
                && ulong.TryParse(number, NumberStyles.None, Invariant, out var generation))
                highest = Math.Max(highest, generation);
        return highest;
    }
}
