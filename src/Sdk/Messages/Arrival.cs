using System.Security.Cryptography;
using ChordChat.Crypto;

namespace ChordChat.Sdk.Messages;

/// <summary>An envelope that was opened and whose every claim was checked; what is left is to keep it.</summary>
/// <param name="Seq">Place in its sender's chain for this chat and device epoch, from 1 on.</param>
/// <param name="Body">Hash of the signed body.</param>
/// <param name="PreviousBody">What the sender names as the body before; zero for seq 1.</param>
/// <param name="ToEpoch">Of our device, as the sender knew it.</param>
/// <param name="Heard">The last of our numbers that the sender had.</param>
/// <param name="Text">UTF-8. For a message of a kind that this version does not know, a text that says that it cannot
/// be shown. Null for a receipt.</param>
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
    string Note)
{
    /// <summary>Stands for the envelope, of which nobody but its sender can make another form.</summary>
    public byte[]? Mark { get; init; }

    /// <summary>Whether it was sealed for our present device, so that no other one of ours got it, or what its sender
    /// sent later.</summary>
    public bool IsToThisDevice { get; init; }

    /// <summary>What it says of its place in the chat.</summary>
    public Link Link => new(From, Mine: false, Epoch, ToEpoch, (long)Seq, (long)Heard, TimeMs);

    public static byte[] MarkOf(ReadOnlySpan<byte> envelope) => SHA256.HashData(envelope)[..MarkBytes];

    /// <summary>The id under which this profile keeps an envelope whose own id stands for another one here.</summary>
    public static string IdOf(byte[] mark) => Convert.ToHexStringLower(mark);

    /// <summary>As it is kept where an envelope with this mark is here under its id.</summary>
    public Arrival Unless(byte[] mark) => Mark is null || mark.AsSpan().SequenceEqual(Mark)
        ? this
        : this with { Id = IdOf(Mark), Note = Note.Length > 0 ? $"{IdTwinNote}; {Note}" : IdTwinNote };

    private const int MarkBytes = 16;
    private const string IdTwinNote = "another message has the same id";
}

/// <summary>What became of arrivals when they were kept.</summary>
internal sealed record Kept
{
    /// <summary>Messages that may be shown now, in order.</summary>
    public List<string> Released { get; } = [];

    /// <summary>What need not come again: it was shown, or stands where it will be.</summary>
    public List<string> Settled { get; } = [];

    /// <summary>Own messages that a receipt moved forward.</summary>
    public List<string> Receipted { get; } = [];

    /// <summary>Something is held back for an earlier message of its sender: ask for the mailbox again.</summary>
    public bool Gap { get; set; }

    /// <summary>Of whom two different bodies came for one place of a chain, and for how many places: the sender's keys
    /// are used twice, or a replay.</summary>
    public Dictionary<string, int> Forks { get; } = [];

    public bool Fork => Forks.Count > 0;

    public void AddFork(string sender) => Forks[sender] = Forks.GetValueOrDefault(sender) + 1;

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
