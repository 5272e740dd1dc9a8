using ChordChat.Core.Tiles;

namespace ChordChat.Node.Storage;

/// <summary>Where a row stands that is not what was written: all that a log may say of it.</summary>
/// <param name="Kind">The first part of its key or set (acct, mbox); never the name itself, never content.</param>
internal sealed record DamagedRow(string Table, TileId Tile, string Kind)
{
    public static DamagedRow Of(string table, TileId tile, string name)
    {
        // A damaged name may be anything: only what looks like a kind is repeated.
        var end = name.IndexOf('/', StringComparison.Ordinal);
        var isKind = end is > 0 and <= 8 && name.AsSpan(0, end).IndexOfAnyExceptInRange('a', 'z') < 0;
        return new(table, tile, isKind ? name[..end] : "unknown kind");
    }
}
