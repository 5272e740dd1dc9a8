using ChordChat.Core.Tiles;

namespace ChordChat.Node.Chat;

internal enum SendState
{
    /// <summary>This node has it; no majority of its mailbox's copies does yet.</summary>
    Queued,

    /// <summary>On disk at a majority.</summary>
    Kept,

    /// <summary>Never took effect.</summary>
    Refused,
}

/// <summary>What a sender is told of a message. Later reports replace earlier ones.</summary>
/// <param name="Copies">Names of the nodes that keep it on disk.</param>
/// <param name="IsFirst">The first answer to this send.</param>
internal sealed record SendReport(
    MessageId Id,
    SendState State,
    IReadOnlyList<string> Copies,
    int Of,
    bool IsFirst,
    Refusal? Refusal = null);

/// <param name="Code">For programs: unknown_user, mailbox_full, too_large, bad_envelope, too_late, blocked.</param>
/// <param name="Text">For people.</param>
internal sealed record Refusal(string Code, string Text);
