using System.Collections.Concurrent;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Tiles;

/// <summary>What this node holds of each tile, as of the last commit; read by loops and pages, written by the
/// writer.</summary>
internal sealed class TileBoard
{
    private readonly ConcurrentDictionary<TileId, TileHeader> _headers = new();

    public IEnumerable<TileHeader> All => _headers.Values;

    /// <summary>Told of every header after the commit that changed it, on the writer's thread; must be quick.</summary>
    public event Action<TileHeader>? Changed;

    public TileHeader? Of(TileId tile) => _headers.GetValueOrDefault(tile);

    /// <summary>What is held of a tile, or of the narrowest wider one.</summary>
    public TileHeader? Around(TileId tile)
    {
        var header = Of(tile);
        while (header is null && tile.Bits > 0)
            header = Of(tile = tile.Wider);
        return header;
    }

    public void Show(IReadOnlyCollection<TileHeader> headers)
    {
        foreach (var header in headers)
            _headers[header.Tile] = header;
        foreach (var header in headers)
            Changed?.Invoke(header);
    }
}
