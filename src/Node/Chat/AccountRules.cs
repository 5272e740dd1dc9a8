using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;

namespace ChordChat.Node.Chat;

/// <summary>Which account may stand under a name, and which may come after which: only its owner's key makes the
/// next.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
internal sealed class AccountRules(ChatIdentity identity)
{
    public ValueVerdict Judge(string user, Account? own, Account next)
    {
        if (next.User != user || !IsInBounds(next) || !NamesItsKeys(next))
            return ValueVerdict.Malformed;
        if (own is not null && Follows(own, next))
            return ValueVerdict.Fits;
        if (KeyLog.VerifyAlone(identity.Cluster, user, next.Head.Entry.Span) is null)
            return ValueVerdict.Malformed;
        return own is null ? ValueVerdict.Fits : ValueVerdict.DoesNotFollow;
    }

    public static bool IsOfIdentity(Account account, KeyLogEntry entry) =>
        KeyLogEntry.TryParse(account.Head.Entry.Span) is { } head
        && head.Identity.Span.SequenceEqual(entry.Identity.Span);

    private static bool IsInBounds(Account account) =>
        account.Credential.Length > 0
        && account.Head.Number < KeyLogPace.EntriesMax
        && account.Version == account.Head.Number + 1
        && account.Head.Entry.Length <= ChatLimits.KeyLogEntryBytesMax
        && account.Keyring.Length is > 0 and <= ChatLimits.KeyringBytesMax
        && account.PreviousKeyring.Length <= ChatLimits.KeyringBytesMax
        && account.Pace.Recent <= KeyLogPace.AtOnceMax;

    private static bool NamesItsKeys(Account account) =>
        KeyLogEntry.TryParse(account.Head.Entry.Span) is { } entry
        && entry.Seq == account.Head.Number && entry.Epoch == account.Head.Epoch
        && entry.RingHash == KeyringBlob.HashOf(account.Keyring.Span);

    /// <summary>Nothing but new keys changes an account, so one with the same head would have to be the same.</summary>
    private bool Follows(Account own, Account next) =>
        next.CreatedBy == own.CreatedBy && next.CreatedAtMs == own.CreatedAtMs && next.Credential == own.Credential
        && next.Head.Number >= own.Head.Number
        && (next.Head.Number - own.Head.Number) switch
        {
            0 => IsRival(own, next),
            1 => IsNext(own, next),
            _ => IsLater(own, next),
        };

    /// <summary>Two devices were added at once and one of them lost. Which one only the ballots tell: the owner has
    /// signed both.</summary>
    private bool IsRival(Account own, Account next) =>
        next.PreviousKeyring.Span.SequenceEqual(own.PreviousKeyring.Span)
        && next.Pace.Recent <= own.Pace.Recent + 1
        && KeyLogEntry.TryParse(own.Head.Entry.Span) is { } head
        && KeyLog.VerifyInPlace(identity.Cluster, own.User, head, next.Head.Entry.Span) is not null;

    private bool IsNext(Account own, Account next) =>
        next.PreviousKeyring.Span.SequenceEqual(own.Keyring.Span)
        && next.Pace.Recent <= own.Pace.Recent + 1
        && KeyLogEntry.TryParse(own.Head.Entry.Span) is { } head
        && KeyLog.VerifyNext(identity.Cluster, own.User, head, next.Head.Entry.Span) is not null;

    /// <summary>This copy has missed some: the same identity vouches for the last.</summary>
    private bool IsLater(Account own, Account next) =>
        KeyLogEntry.TryParse(own.Head.Entry.Span) is { } head
        && KeyLog.VerifyLater(identity.Cluster, own.User, head, next.Head.Entry.Span) is not null;
}
