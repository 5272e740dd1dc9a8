using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>Promises that were given a moment ago: whoever has one is about to use it, and nobody else may take it away
/// again and again.</summary>
/// <remarks>docs/protocol.md#overtaking. In memory: after a restart nobody has one.</remarks>
internal sealed class FreshPromises(NodeId self, PeerBudgets budgets)
{
    /// <summary>For so long, a promise is fresh: an honest proposer needs a round trip and a commit.</summary>
    public const long FreshMs = 500;

    /// <summary>A node that is promised the same again within this time has no fresh one: otherwise it could keep
    /// others waiting without end.</summary>
    private const long AgainMs = 10_000;

    /// <summary>Past it all are forgotten.</summary>
    private const int PromisesMax = 65_536;

    private readonly Dictionary<(TileId Tile, string Key), (NodeId To, long SinceMs)> _promises = [];

    /// <summary>Whether a node may have a promise now, or be accepted without one.</summary>
    /// <param name="key">Of a register; empty: the decision of the tile's next configuration.</param>
    public bool MayHave(TileId tile, string key, NodeId node, long nowMs) =>
        node == self
        || !_promises.TryGetValue((tile, key), out var promise)
        || promise.To == node
        || nowMs - promise.SinceMs >= FreshMs
        || budgets.TakeOvertaking(node, nowMs);

    public void Given(TileId tile, string key, NodeId to, long nowMs)
    {
        var isAgain = _promises.TryGetValue((tile, key), out var before)
            && before.To == to && nowMs - before.SinceMs < AgainMs;
        if (isAgain)
            return;
        if (_promises.Count >= PromisesMax)
            _promises.Clear();
        _promises[(tile, key)] = (to, nowMs);
    }

    /// <summary>A value was accepted.</summary>
    public void Used(TileId tile, string key) => _promises.Remove((tile, key));
}
