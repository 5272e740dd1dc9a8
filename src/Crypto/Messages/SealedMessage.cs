namespace ChordChat.Crypto.Messages;

/// <summary>A message ready to be handed to any node.</summary>
/// <param name="Envelope">To be sent again unchanged on a retry: sealing anew would make another message.</param>
/// <param name="BodyHash">H("direct-body", body): goes into the next message as what came before.</param>
public sealed record SealedMessage(EnvelopeId Id, byte[] Envelope, Digest BodyHash);
