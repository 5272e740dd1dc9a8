namespace ChordChat.Node.Tiles;

/// <summary>Proves that this node can keep a message: writes to a quorum. Null when it could, else why not, in
/// words.</summary>
internal delegate Task<string?> ReadinessProbe(CancellationToken cancellation);
