namespace ChordChat.Core.Tiles;

/// <summary>The headers of one replica, of tiles of any depth.</summary>
/// <remarks>docs/protocol.md#tile-split. That a tile was cut is told by the headers of its parts.</remarks>
internal sealed class HeldTiles
{
    private readonly Dictionary<TileId, TileHeader> _headers = [];
    private readonly HashSet<TileId> _cut = [];

    public IReadOnlyCollection<TileHeader> All => _headers.Values;

    public TileHeader? Of(TileId tile) => _headers.GetValueOrDefault(tile);

    /// <summary>Whether a part of it is held here.</summary>
    public bool IsCut(TileId tile) => _cut.Contains(tile);

    public void Put(TileHeader header)
    {
        _headers[header.Tile] = header;
        var wider = header.Tile;
        for (var i = 0; i < header.Configuration.Splits.Length; i++)
            _cut.Add(wider = wider.Wider);
    }

    /// <summary>The tile's own header; of a tile that was cut, that of the narrowest part here that holds the point of
    /// the name, or without a name that of any part.</summary>
    public TileHeader? Find(TileId tile, string? name)
    {
        if (!_cut.Contains(tile))
            return Of(tile);
        return name is null ? AnyPart(tile) : AtPoint(tile, name);
    }

    /// <summary>The narrowest wider tile that is held here.</summary>
    public TileHeader? Above(TileId tile)
    {
        while (tile.Bits > 0)
            if (Of(tile = tile.Wider) is { } header)
                return header;
        return null;
    }

    private TileHeader? AtPoint(TileId tile, string name)
    {
        var part = TileId.Of(RowName.PointOf(name), TileId.BitsMax);
        if (!tile.Contains(part))
            return null;
        for (; part.Bits > tile.Bits; part = part.Wider)
            if (Of(part) is { } header)
                return header;
        return null;
    }

    private TileHeader? AnyPart(TileId tile)
    {
        foreach (var half in (ReadOnlySpan<TileId>)[tile.First, tile.Second])
            if ((_cut.Contains(half) ? AnyPart(half) : Of(half)) is { } header)
                return header;
        return null;
    }
}
