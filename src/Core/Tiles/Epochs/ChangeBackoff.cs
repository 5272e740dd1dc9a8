using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>How long one member does not propose again what the others did not vote for: each such try ends an epoch
/// and pauses the tile.</summary>
/// <remarks>docs/protocol.md#refused-changes.</remarks>
internal sealed class ChangeBackoff(StewardOptions options)
{
    private TileConfiguration? _open;
    private ImmutableArray<NodeId> _newcomers = [];
    private long _proposedMs;
    private double _waitMs;

    /// <summary>Whether this has to wait because it was refused.</summary>
    /// <param name="newcomers">Who would come in; none: the tile would be cut.</param>
    public bool Holds(ImmutableArray<NodeId> newcomers, long nowMs) => nowMs - _proposedMs < _waitMs
        && (newcomers.IsEmpty ? _newcomers.IsEmpty : newcomers.Any(_newcomers.Contains));

    /// <summary>A try begins that is to end this configuration.</summary>
    public void Propose(TileConfiguration at, ImmutableArray<NodeId> newcomers, long nowMs)
    {
        if (newcomers.Length != _newcomers.Length || newcomers.Except(_newcomers).Any())
            _waitMs = 0;
        (_open, _newcomers, _proposedMs) = (at, newcomers, nowMs);
    }

    /// <summary>That time does not count.</summary>
    public void Paused(long forMs) => _proposedMs += forMs;

    /// <summary>What has become of the last try.</summary>
    public void Hear(TileConfiguration newest)
    {
        if (_open is null || !newest.IsNewerThan(_open))
            return;
        _open = null;
        var max = options.BackoffMax.TotalMilliseconds;
        _waitMs = _newcomers.IsEmpty ? max // The tile would not go on if it had been cut.
            : _newcomers.All(newest.Contains) ? 0
            : Math.Min(max, Math.Max(2 * _waitMs, options.BackoffStart.TotalMilliseconds));
    }
}
