using ChordChat.Core.Ring;

namespace ChordChat.Node.Links;

/// <summary>A member of the ring, as this node knows it now; null when it knows none of that id.</summary>
internal delegate Peer? PeerBook(NodeId node);
