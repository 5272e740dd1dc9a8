using ChordChat.Core.Ring;

namespace ChordChat.Node.Discovery;

/// <summary>A hint that a node may be found somewhere. Nothing in it is proved before TLS has been spoken with
/// it.</summary>
/// <param name="Node">Who it says it is; null for a seed, which is only an address.</param>
/// <param name="Name">What it calls itself, or the seed as the operator wrote it.</param>
/// <param name="Address">host:port.</param>
/// <param name="Via">beacon, seed or memory: for the log.</param>
internal sealed record DiscoveredPeer(NodeId? Node, string Name, string Address, string Via);
