using ChordChat.Crypto;

namespace ChordChat.Sdk.Messages;

/// <summary>An envelope that was opened and whose every claim was checked; what is left is to keep it.</summary>
/// <param name="Seq">Place in its sender's chain for this chat and device epoch, from 1 on.</param>
/// <param name="Body">Hash of the signed body.</param>
/// <param name="PreviousBody">What the sender names as the body before; zero for seq 1.</param>
/// <param name="ToEpoch">Of our device, as the sender knew it.</param>
/// <param name="Heard">The last of our numbers that the sender had.</param>
/// <param name="Text">UTF-8; null for what is not shown, such as a receipt.</param>
/// <param name="Note">A remark to show with it, or empty.</param>
internal sealed record Arrival(
    string Id,
    string From,
    uint Epoch,
    ulong Seq,
    Digest Body,
    Digest PreviousBody,
    uint ToEpoch,
    ulong Heard,
    long TimeMs,
    byte[]? Text,
    string Note);

/// <summary>What became of arrivals when they were kept.</summary>
internal sealed record Kept
{
    /// <summary>Messages that may be shown now, in order.</summary>
    public List<string> Released { get; } = [];

    /// <summary>What need not come again: it was shown, or stands where it will be.</summary>
    public List<string> Settled { get; } = [];

    /// <summary>Own messages that a receipt moved forward.</summary>
    public List<string> Receipted { get; } = [];

    /// <summary>Whose chats got a message that came after its place was given up.</summary>
    public HashSet<string> Late { get; } = [];

    /// <summary>Something is held back for an earlier message of its sender: ask for the mailbox again.</summary>
    public bool Gap { get; set; }

    /// <summary>Two different bodies at one place of a chain: the sender's keys are used twice, or a replay.</summary>
    public bool Fork { get; set; }

    /// <summary>How many messages of strangers were not kept, for want of room, and are gone.</summary>
    public int PutAwayCount { get; set; }

    /// <summary>Ids of those that were not kept because it is not known yet who is a stranger; they are to come again.
    /// </summary>
    public HashSet<string> Later { get; } = [];

    /// <summary>Somebody says that this device's numbers were used already: this profile is a copy of one that went on.
    /// </summary>
    public bool IsCopied { get; set; }

    /// <summary>It is to become a new device.</summary>
    public bool MustRenew { get; set; }
}
