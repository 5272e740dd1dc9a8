namespace ChordChat.Sdk.Messages;

/// <summary>One message as this profile knows it.</summary>
/// <param name="Id">32 hex digits, chosen by the sender.</param>
/// <param name="Sent">By the sender's clock, when it was sealed: what the other side sees.</param>
/// <param name="Copies">Names of the nodes that have it on disk, at least a majority once it is kept; empty unless we
/// sent it.</param>
/// <param name="Of">How many copies there should be; 0 when not known.</param>
/// <param name="MissingBefore">How many messages of this sender should have come before it and have not, at most: what
/// is missing may be receipts.</param>
/// <param name="Note">A remark to show with it, such as why it was refused; empty as a rule.</param>
public sealed record ChatMessage(
    string Id,
    string From,
    string To,
    string Text,
    DateTimeOffset Sent,
    MessageState State,
    IReadOnlyList<string> Copies,
    int Of,
    int MissingBefore,
    string Note)
{
    /// <summary>Who of the copies of a kept message answered last, if these were fewer than a majority; null when the
    /// last that is known is <see cref="Copies"/>.</summary>
    public IReadOnlyList<string>? Reachable { get; init; }

    /// <summary>When it was written on this machine, which is earlier than <see cref="Sent"/> if it waited; null when
    /// it was not written here.</summary>
    public DateTimeOffset? Typed { get; init; }

    /// <summary>Whether it waits apart because this user never wrote to its sender.</summary>
    public bool IsRequest { get; init; }

    /// <summary>Whether later messages of its sender were let through before it came: docs/e2e.md, Order.</summary>
    public bool IsLate { get; init; }

    /// <summary>As <see cref="MissingBefore"/>, but of those that may have gone to another device of this user, which
    /// was logged in at the time.</summary>
    public int ElsewhereBefore { get; init; }

    /// <summary>Whether <see cref="Copies"/> names a majority.</summary>
    public bool IsKeptByMajority => MessageProgress.IsMajority(Copies.Count, Of);
}
