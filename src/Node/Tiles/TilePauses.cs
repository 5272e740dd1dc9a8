using ChordChat.Core.Tiles;

namespace ChordChat.Node.Tiles;

/// <summary>How long this node's copies answer nothing while their epoch changes: from the seal until they are active
/// again.</summary>
internal sealed class TilePauses(TimeProvider time)
{
    /// <summary>Changes come in bursts; one is over when nothing has changed for this long.</summary>
    private static readonly TimeSpan BurstEnd = TimeSpan.FromSeconds(2);

    private readonly Lock _turn = new();
    private readonly Dictionary<TileId, long> _since = [];
    private readonly Dictionary<TileId, long> _gone = [];
    private readonly List<TimeSpan> _burst = [];
    private long _last;

    public void Hear(TileHeader header)
    {
        lock (_turn)
        {
            if (header.Phase is TilePhase.Sealed)
                _since.TryAdd(header.Tile, BegunWith(header.Tile.Wider) ?? time.GetTimestamp());
            else if (_since.Remove(header.Tile, out var since))
                if (header.Phase is TilePhase.Active)
                    _burst.Add(time.GetElapsedTime(since, _last = time.GetTimestamp()));
                else
                    _gone[header.Tile] = since;
        }
    }

    /// <summary>The pauses of a burst that is over, shortest first, once; otherwise none.</summary>
    public IReadOnlyList<TimeSpan> TakeBurst()
    {
        lock (_turn)
        {
            if (_burst.Count == 0 || _since.Count > 0 || time.GetElapsedTime(_last) < BurstEnd)
                return [];
            TimeSpan[] burst = [.. _burst.Order()];
            _burst.Clear();
            _gone.Clear();
            return burst;
        }
    }

    /// <summary>The pause of a half begins with that of the tile that was cut.</summary>
    private long? BegunWith(TileId wider) =>
        _since.TryGetValue(wider, out var since) || _gone.TryGetValue(wider, out since) ? since : null;
}
