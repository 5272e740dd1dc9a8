using System.Collections.Concurrent;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>The newest configuration heard of for each tile. Hints: a wrong one costs time, never data.</summary>
/// <remarks>docs/protocol.md#directory. Safe to share between threads.</remarks>
public sealed class TileDirectory
{
    private readonly ConcurrentDictionary<TileId, TileConfiguration> _newest = [];
    private readonly int _bits;

    /// <param name="genesis">One configuration for every tile of 2^<paramref name="bits"/>.</param>
    public TileDirectory(int bits, IEnumerable<TileConfiguration> genesis)
    {
        _bits = bits;
        foreach (var configuration in genesis)
            _newest[configuration.Tile] = configuration;
    }

    public IEnumerable<TileConfiguration> All => _newest.Values;

    /// <summary>The configuration of the tile that holds a point.</summary>
    public TileConfiguration At(RingId point) => _newest[TileId.Of(point, _bits)];

    public TileConfiguration? Of(TileId tile) => _newest.GetValueOrDefault(tile);

    /// <summary>Remembers a configuration if it is newer than what is known. True when it was.</summary>
    public bool Learn(TileConfiguration configuration)
    {
        while (true)
        {
            if (!_newest.TryGetValue(configuration.Tile, out var known))
                return false; // Not a tile of this cluster.
            if (!configuration.IsNewerThan(known))
                return false;
            if (_newest.TryUpdate(configuration.Tile, configuration, known))
                return true;
        }
    }
}
