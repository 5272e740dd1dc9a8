using ChordChat.Core.Ring;

namespace ChordChat.Node.Ring;

/// <summary>What this node believes of the ring and its members at one moment. Immutable.</summary>
internal sealed record RingSnapshot(RingState Ring, FingerTable Fingers, MembershipState Membership)
{
    public Membership Members => Membership.Members;

    public Peer Self => Membership.Members.Own.Peer;

    /// <summary>Where a node is, as far as known.</summary>
    public Peer? Find(NodeId node) => Members[node]?.Peer;

    /// <summary>What a node is called in logs and events.</summary>
    public string NameOf(NodeId node) => Members[node]?.ProvenName ?? node.ShortForm;
}
