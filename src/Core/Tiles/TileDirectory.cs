using System.Collections.Concurrent;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>The newest configuration heard of for each tile. Hints: a wrong one costs time, never data.</summary>
/// <remarks>docs/protocol.md#directory. Tiles of several depths stand side by side; the deepest that holds a point is
/// believed. Safe to share between threads.</remarks>
public sealed class TileDirectory
{
    private readonly ConcurrentDictionary<TileId, Known> _newest = [];
    private readonly int _bits;
    private volatile int _deepest;

    /// <param name="genesis">One configuration for every tile of 2^<paramref name="bits"/>.</param>
    public TileDirectory(int bits, IEnumerable<TileConfiguration> genesis)
    {
        (_bits, _deepest) = (bits, bits);
        foreach (var configuration in genesis)
            _newest[configuration.Tile] = new(configuration, null);
    }

    /// <summary>All but those whose halves are both known.</summary>
    public IEnumerable<TileConfiguration> All => _newest.Values.Select(known => known.Newest)
        .Where(known => known.Tile.Bits == _deepest
            || !_newest.ContainsKey(known.Tile.First) || !_newest.ContainsKey(known.Tile.Second));

    /// <summary>The configuration of the tile that holds a point.</summary>
    public TileConfiguration At(RingId point)
    {
        for (var bits = _deepest; bits > _bits; bits--)
            if (_newest.TryGetValue(TileId.Of(point, bits), out var deep))
                return deep.Newest;
        return _newest[TileId.Of(point, _bits)].Newest;
    }

    /// <summary>What is known of this tile, or of the narrowest known one that holds it.</summary>
    private TileConfiguration Around(TileId tile)
    {
        while (tile.Bits > _bits && !_newest.ContainsKey(tile))
            tile = tile.Wider;
        return _newest[tile].Newest;
    }

    public TileConfiguration? Of(TileId tile) => _newest.TryGetValue(tile, out var known) ? known.Newest : null;

    /// <summary>The configuration before that one, if it was believed together with it.</summary>
    public TileConfiguration? Before(TileConfiguration configuration) =>
        _newest.TryGetValue(configuration.Tile, out var known) && known.Newest == configuration ? known.Previous : null;

    /// <summary>Whether it is of a tile that the genesis names, or that was cut out of one.</summary>
    public bool IsOfThisCircle(TileConfiguration configuration) =>
        configuration.Tile.Bits == _bits + configuration.Splits.Length;

    /// <summary>Remembers a configuration if it is newer than what is known. True when it was.</summary>
    /// <param name="previous">The one before it, if that is to be believed as well.</param>
    public bool Learn(TileConfiguration configuration, TileConfiguration? previous = null)
    {
        if (!IsOfThisCircle(configuration) || !configuration.IsPossibleAfter(Around(configuration.Tile)))
            return false;
        var isNew = Keep(new(configuration, previous?.Tile == configuration.Tile ? previous : null));
        if (isNew && configuration.Splits is [.., var end] && configuration.Epoch == end + 1)
        {
            var other = new TileId(configuration.Tile.Bits, configuration.Tile.Prefix ^ 1);
            Keep(new(configuration with { Tile = other }, null));
        }

        return isNew;
    }

    private bool Keep(Known learnt)
    {
        var tile = learnt.Newest.Tile;
        while (true)
        {
            if (_newest.TryGetValue(tile, out var known))
            {
                if (!learnt.Newest.IsNewerThan(known.Newest))
                    return false;
                if (_newest.TryUpdate(tile, learnt, known))
                    return true;
            }
            else if (_newest.TryAdd(tile, learnt))
            {
                for (var deepest = _deepest; deepest < tile.Bits; deepest = _deepest)
                    Interlocked.CompareExchange(ref _deepest, tile.Bits, deepest);
                return true;
            }
        }
    }

    private readonly record struct Known(TileConfiguration Newest, TileConfiguration? Previous);
}
