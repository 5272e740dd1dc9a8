using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>One register on which a learner's sources contradict each other: what each of them holds.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
internal sealed class Contest(string key)
{
    private readonly Dictionary<NodeId, TransferredRegister> _heard = [];

    /// <summary>What the others are asked; null until they are.</summary>
    public ReplicaRequest.Pull? Asked { get; private set; }

    /// <summary>What the own replica is to settle; null until then.</summary>
    public ReplicaRequest.Believe? Settling { get; private set; }

    /// <summary>Who has not answered yet.</summary>
    public HashSet<NodeId> Waiting { get; } = [];

    public void Hear(NodeId node, TransferredRegister register) => _heard[node] = register;

    /// <summary>Takes an answer of somebody who was asked: its row, if it has one, is the first of the page.</summary>
    public void Hear(NodeId node, ReplicaReply? reply)
    {
        Waiting.Remove(node);
        if (reply is ReplicaReply.Pulled { Page.Registers: var rows })
            Hear(node, rows is [var row, ..] && row.Key == key ? row : new(key, default, default));
    }

    public ReplicaRequest.Pull Ask(TileEpoch at, IEnumerable<NodeId> nodes)
    {
        Waiting.UnionWith(nodes);
        return Asked = new ReplicaRequest.Pull(at, TileCursor.Before(key), BytesMax: 1);
    }

    /// <param name="votes">Whether a node's row counts: it is of the epoch before, or of the new one.</param>
    /// <param name="majority">Of those who vote; 0: no majority counts, since some are known to be lost.</param>
    public ReplicaRequest.Believe Settle(TileEpoch at, Func<NodeId, bool> votes, int majority) =>
        Settling = new ReplicaRequest.Believe(
            at, key, [.. _heard.Select(heard => new HeardRegister(heard.Value, votes(heard.Key)))], majority);
}

/// <summary>What one member holds of a contested register; no ballot: nothing.</summary>
/// <param name="Votes">Whether it counts for a majority.</param>
public readonly record struct HeardRegister(TransferredRegister Row, bool Votes);
