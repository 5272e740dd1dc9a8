namespace ChordChat.Sdk.Nodes;

/// <param name="Id">The node that has answered there, by its certificate, in hex; null for what others say.</param>
internal sealed record KnownNode(string Address, string? Id);
