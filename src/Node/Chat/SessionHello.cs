namespace ChordChat.Node.Chat;

/// <summary>What a client answers to the challenge.</summary>
/// <param name="Client">Program and version, for the operator's log.</param>
/// <param name="PassOnly">Wants a pass and no session.</param>
internal sealed record SessionHello(
    string User, uint Epoch, ReadOnlyMemory<byte> ClientNonce, ReadOnlyMemory<byte> Signature, string Client,
    bool PassOnly = false);
