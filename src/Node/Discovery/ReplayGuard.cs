using ChordChat.Core.Ring;

namespace ChordChat.Node.Discovery;

/// <summary>Knows the newest beacon of each node, so that one recorded on the wire is good for nothing later.</summary>
internal sealed class ReplayGuard
{
    private const int NodesMax = 10_000;
    private readonly Dictionary<NodeId, (ulong Incarnation, long SentMs)> _newest = [];

    /// <summary>Whether it is newer than all that came from its node before. The beacon must have been
    /// proved.</summary>
    /// <remarks>The same beacon comes once for each network two nodes share; the first copy counts.</remarks>
    public bool IsNew(Beacon beacon, DateTimeOffset now)
    {
        // One that is ahead of all clocks was sent before they were set back; by now it would not be believed.
        var last = (now + Beacon.AheadMax).ToUnixTimeMilliseconds();
        if (_newest.TryGetValue(beacon.Node, out var newest) && newest.SentMs <= last
            && (beacon.Incarnation, beacon.SentMs).CompareTo(newest) <= 0)
            return false;
        if (_newest.Count >= NodesMax)
            _newest.Clear(); // Only nodes with the secret get here; forgetting lets a replay through, which is a hint.
        _newest[beacon.Node] = (beacon.Incarnation, beacon.SentMs);
        return true;
    }
}
