namespace ChordChat.Core.Ring;

/// <summary>Another ring member as we know it. Its id and position never change; its address may.</summary>
/// <param name="Node">Who it is.</param>
/// <param name="Position">Where on the circle it stands; bound to <paramref name="Node"/> by its certificate.</param>
/// <param name="Name">What people call it: n1, n2, ...</param>
/// <param name="Address">host:port where it was last heard of; a hint.</param>
public sealed record Peer(NodeId Node, RingId Position, string Name, string Address)
{
    /// <summary>Peers are the same when they are the same node, whatever their address.</summary>
    public bool Equals(Peer? other) => other is not null && Node == other.Node;

    public override int GetHashCode() => (int)(uint)(ulong)Node.Low;

    public override string ToString() => Name;
}
