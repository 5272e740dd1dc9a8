using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>One register on which a learner's sources contradict each other: what each of them holds.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
/// <param name="beside">The register by which this one is judged, which is settled first; null when none.</param>
internal sealed class Contest(string key, string? beside)
{
    private readonly Dictionary<NodeId, TransferredRegister> _heard = [];
    private readonly Dictionary<NodeId, int> _named = []; // Bytes of each.
    private int _tried = -1;

    public string Key => key;

    public string? Beside => beside;

    /// <summary>What the others are asked; null until they are.</summary>
    public ReplicaRequest.Pull? Asked { get; private set; }

    /// <summary>What the own replica is to settle now.</summary>
    public ReplicaRequest.Believe? Settling { get; private set; }

    /// <summary>Who was asked and is still given time.</summary>
    public HashSet<NodeId> Waiting { get; } = [];

    /// <summary>A timer has rung since they were asked.</summary>
    public bool HasRung { get; set; }

    /// <summary>The number of the ring by which those asked last have had a whole interval to answer.</summary>
    public int DueAt { get; set; }

    /// <summary>The sources that had a row in their pages that contradicts, and its bytes.</summary>
    public IReadOnlyDictionary<NodeId, int> Named => _named;

    /// <returns>Whether that is news of this source.</returns>
    public bool Name(NodeId self, TransferredRegister own, NodeId source, TransferredRegister copy)
    {
        (_heard[self], _heard[source], _tried) = (own, copy, -1);
        return _named.TryAdd(source, copy.Value.Length);
    }

    /// <summary>Nobody contradicts it, but one that is judged by it is contested.</summary>
    /// <returns>Whether that is news of the source that named that one.</returns>
    public bool NameBeside(NodeId source) => _named.TryAdd(source, 0);

    /// <summary>Takes an answer of somebody who was asked: its row, if it has one, is the first of the page. Anything
    /// else is no answer. Nor is it one to have left the tile: it held a row, which might tell who lies.</summary>
    public void Hear(NodeId node, ReplicaReply? reply)
    {
        Waiting.Remove(node);
        if (reply is ReplicaReply.Pulled { Page.Registers: var rows })
            _heard[node] = rows is [var row, ..] && row.Key == key ? row : new(key, default, default);
    }

    public bool HasHeard(NodeId node) => _heard.ContainsKey(node);

    /// <param name="nodes">Who is given time; others may answer, too.</param>
    public ReplicaRequest.Pull Ask(TileEpoch at, IEnumerable<NodeId> nodes)
    {
        Waiting.UnionWith(nodes);
        HasRung = false;
        return Asked ??= new ReplicaRequest.Pull(at, TileCursor.Before(key), BytesMax: 1);
    }

    /// <summary>Whether so many of those who vote hold the very same that no other answer matters.</summary>
    public bool IsAgreed(Func<NodeId, bool> votes, int majority)
    {
        var rows = _heard.Where(heard => votes(heard.Key)).Select(heard => heard.Value).ToList();
        return majority > 0 && rows.Exists(row => rows.Count(row.IsSameAs) >= majority);
    }

    /// <summary>Whether all that is known now was not enough before.</summary>
    public bool WasTried => _tried == _heard.Count;

    /// <param name="self">What this node holds its own replica knows best.</param>
    /// <param name="votes">Whether a node's row counts: it is of the epoch before, or of the new one.</param>
    /// <param name="majority">Of those who vote; 0: no majority counts, since some are known to be lost.</param>
    /// <param name="isFinal">Whether the newest row counts where no majority agrees.</param>
    public ReplicaRequest.Believe Settle(
        TileEpoch at, NodeId self, Func<NodeId, bool> votes, int majority, bool isFinal)
    {
        _tried = _heard.Count;
        var others = _heard
            .Where(heard => heard.Key != self)
            .Select(heard => new HeardRegister(heard.Value, votes(heard.Key)));
        return Settling = new ReplicaRequest.Believe(at, key, [.. others], votes(self), majority, isFinal);
    }

    /// <summary>No majority agrees yet.</summary>
    public void GoOn() => Settling = null;
}

/// <summary>What one member holds of a contested register; no ballot: nothing.</summary>
/// <param name="Votes">Whether it counts for a majority.</param>
public readonly record struct HeardRegister(TransferredRegister Row, bool Votes);
