namespace ChordChat.Node.Tiles;

/// <summary>How often copies are compared, and how gently.</summary>
internal sealed record RepairOptions
{
    /// <summary>Mean time between two rounds; each wait is 75 % to 125 % of it. A copy that a coordinator could not
    /// place is missing for so long.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Mean time between two looks at disputed registers (docs/protocol.md#value-rules).</summary>
    public TimeSpan DisputesEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Tiles mended per peer and round, one after the other; the others wait for the next round.</summary>
    public int TilesMax { get; init; } = 16;

    /// <summary>How long one tile may take with one peer; what is left is fetched in a later round.</summary>
    public TimeSpan TileMax { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The same for all tiles of a peer.</summary>
    public TimeSpan PeerMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Peers that tiles are mended from at once; a slow one holds up no round.</summary>
    public int PeersAtOnceMax { get; init; } = 4;
}
