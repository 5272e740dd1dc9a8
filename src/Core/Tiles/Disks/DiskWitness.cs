using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Disks;

/// <summary>What one node has seen of the others' disks, and whom it lets speak because of it.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks. One thread at a time.</remarks>
public sealed class DiskWitness
{
    private readonly Dictionary<NodeId, DiskSighting> _seen = [];

    /// <summary>Everything seen; to be kept over a restart of this node.</summary>
    public IReadOnlyDictionary<NodeId, DiskSighting> Seen => _seen;

    public DiskSighting? Of(NodeId node) => _seen.TryGetValue(node, out var seen) ? seen : null;

    /// <summary>Whether this node may serve as far as this witness knows. Remembers nothing: a node that others refuse
    /// must not have replaced what was seen of the true one.</summary>
    /// <remarks>Of one start the counts that different ways bring may overtake each other, so a smaller one is no
    /// sign.</remarks>
    public DiskVerdict Judge(NodeId node, DiskHistory told) =>
        Serves(node, told.Sighting) ? DiskVerdict.Whole : told.JudgedBy(Of(node));

    /// <summary>The node serves: from now on only those who have all that it has may speak for it.</summary>
    public DiskVerdict Admit(NodeId node, DiskHistory told)
    {
        var verdict = Judge(node, told);
        if (Serves(node, told.Sighting))
            Saw(node, told.Sighting);
        else if (verdict == DiskVerdict.Whole)
            _seen[node] = told.Sighting;
        return verdict;
    }

    /// <summary>The start that was admitted has got further; of any other start this changes nothing.</summary>
    public void Saw(NodeId node, DiskSighting now)
    {
        if (_seen.TryGetValue(node, out var seen) && seen.Incarnation == now.Incarnation
            && seen.BootNonce == now.BootNonce && seen.DurableSeq < now.DurableSeq)
            _seen[node] = now;
    }

    /// <summary>Whether this is still the start that was admitted.</summary>
    public bool Serves(NodeId node, DiskSighting now) => _seen.TryGetValue(node, out var seen)
        && seen.Incarnation == now.Incarnation && seen.BootNonce == now.BootNonce;

    /// <summary>Takes over what was kept over a restart.</summary>
    public void Remember(NodeId node, DiskSighting seen) => _seen[node] = seen;
}
