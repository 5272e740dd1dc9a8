namespace ChordChat.Crypto.Messages;

/// <summary>What became of a message at the one it was for.</summary>
public enum ReceiptKind : byte
{
    /// <summary>Safe in the recipient's own history.</summary>
    Delivered = 1,

    /// <summary>Shown on the recipient's screen.</summary>
    Read = 2,

    /// <summary>Delivered, but another message had come first at its place in the sender's chain: the sender's device
    /// keys are used twice, by a copied or restored profile.</summary>
    Fork = 3,
}
