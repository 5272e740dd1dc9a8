namespace ChordChat.Node.Chat;

/// <summary>How much mail this node keeps, as a member of a mailbox's tile.</summary>
/// <remarks>Implemented by the storage and, in tests, by memory. Asked for every session every 5 s: must be cheap.
/// </remarks>
internal interface IMailboxCounts
{
    /// <summary>Messages that wait here for the user; 0 when this node does not keep the mailbox.</summary>
    int PendingCount(string user);
}
