namespace ChordChat.Crypto.Messages;

/// <summary>What became of a message at the one it was for.</summary>
public enum ReceiptKind : byte
{
    /// <summary>Safe in the recipient's own history.</summary>
    Delivered = 1,

    /// <summary>Shown on the recipient's screen.</summary>
    Read = 2,
}
