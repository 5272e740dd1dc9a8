namespace ChordChat.Sdk.Messages;

/// <summary>How far a message has come. Each state is a fact that the next ones include.</summary>
public enum MessageState
{
    /// <summary>On this machine only.</summary>
    Waiting = 0,

    /// <summary>A node has it; no majority of the mailbox's copies does yet.</summary>
    Queued = 1,

    /// <summary>On disk at a majority of the recipient's mailbox copies.</summary>
    Kept = 2,

    /// <summary>The recipient's client has it, and says so under its own seal.</summary>
    Delivered = 3,

    /// <summary>It was shown to the recipient.</summary>
    Read = 4,

    /// <summary>The cluster will not take it: no such user, mailbox full.</summary>
    Refused = 5,

    /// <summary>Its device was replaced before it was known to be kept: whoever wrote it may send it again. If a node
    /// had it, it may have been kept, and its note says so: docs/e2e.md, New device.</summary>
    Unsent = 6,
}
