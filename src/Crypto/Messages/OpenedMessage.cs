namespace ChordChat.Crypto.Messages;

/// <summary>A genuine message. docs/e2e.md, Receiving.</summary>
/// <param name="BodyHash">H("direct-body", body): names it in the order of messages.</param>
public sealed record OpenedMessage(EnvelopeId Id, DirectMessage Message, Digest BodyHash)
{
    /// <summary>This user's own message, sent by one of their devices: history, not news.</summary>
    public required bool IsOwn { get; init; }

    /// <summary>
    /// Show it marked "sent by a device that has since been replaced". Late mail is legitimate; orders from it are not.
    /// </summary>
    public required bool IsFromReplacedDevice { get; init; }

    /// <summary>
    /// The sender was shown a key-log entry of this user that does not exist: raise a conflict. (Or the own log is
    /// behind: read it again first.)
    /// </summary>
    public required bool IsWrongKeyForMe { get; init; }
}
