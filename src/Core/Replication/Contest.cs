using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>One register on which a learner's sources contradict each other: what each of them holds.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
internal sealed class Contest(string key)
{
    private readonly Dictionary<NodeId, TransferredRegister> _heard = [];

    public string Key => key;

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

    /// <param name="nodes">Who is waited for; others may answer, too.</param>
    public ReplicaRequest.Pull Ask(TileEpoch at, IEnumerable<NodeId> nodes)
    {
        Waiting.UnionWith(nodes);
        return Asked = new ReplicaRequest.Pull(at, TileCursor.Before(key), BytesMax: 1);
    }

    /// <summary>Whether so many of those who vote hold the very same that no other answer matters.</summary>
    public bool IsAgreed(Func<NodeId, bool> votes, int majority)
    {
        var rows = _heard.Where(heard => votes(heard.Key)).Select(heard => heard.Value).ToList();
        return majority > 0 && rows.Exists(row => rows.Count(row.IsSameAs) >= majority);
    }

    /// <param name="self">What this node holds its own replica knows best.</param>
    /// <param name="votes">Whether a node's row counts: it is of the epoch before, or of the new one.</param>
    /// <param name="majority">Of those who vote; 0: no majority counts, since some are known to be lost.</param>
    public ReplicaRequest.Believe Settle(TileEpoch at, NodeId self, Func<NodeId, bool> votes, int majority)
    {
        var others = _heard
            .Where(heard => heard.Key != self)
            .Select(heard => new HeardRegister(heard.Value, votes(heard.Key)));
        return Settling = new ReplicaRequest.Believe(at, key, [.. others], votes(self), majority);
    }
}

/// <summary>What one member holds of a contested register; no ballot: nothing.</summary>
/// <param name="Votes">Whether it counts for a majority.</param>
public readonly record struct HeardRegister(TransferredRegister Row, bool Votes);
