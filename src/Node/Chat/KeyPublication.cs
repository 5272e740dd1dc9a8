using ChordChat.Core.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Puts the keys of a new device on top of a key log, and ends the session of the device before.</summary>
internal sealed partial class KeyPublication(
    ChatIdentity identity,
    Accounts accounts,
    IRegisters registers,
    KeyLogReader keyLogs,
    Tickets tickets,
    ClientProofs proofs,
    Whereabouts whereabouts,
    ChatPeers peers,
    ChatClock clock,
    ILogger<KeyPublication> logger)
{
    private static readonly TimeSpan EndAgainMin = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan EndAgainMax = TimeSpan.FromSeconds(10);

    public async Task<PublishOutcome> PublishAsync(
        string user,
        ReadOnlyMemory<byte> ticket,
        ReadOnlyMemory<byte> entry,
        ReadOnlyMemory<byte> keyring,
        CancellationToken cancellation)
    {
        if (entry.Length > ChatLimits.KeyLogEntryBytesMax || keyring.Length is 0 or > ChatLimits.KeyringBytesMax)
            return new PublishOutcome.Invalid("the key-log entry or the keyring is too long");
        if (!UserName.IsValid(user) || proofs.LaterEntry(user, entry, keyring) is not { } next)
            return new PublishOutcome.Invalid("the key-log entry is not one of this user's, or names another keyring");
        if (!tickets.IsGood(ticket.Span, user, next.Number - 1))
            return new PublishOutcome.NoTicket();
        switch (await accounts.ReadAsync(user, cancellation))
        {
            case AccountRead.Found found:
                return await PublishAsync(found, next, keyring, cancellation);
            case AccountRead.Unavailable(var reached, var needed):
                return new PublishOutcome.Unavailable(reached, needed);
            default:
                return new PublishOutcome.NoTicket();
        }
    }

    private async Task<PublishOutcome> PublishAsync(
        AccountRead.Found found, KeyLogHead next, ReadOnlyMemory<byte> keyring, CancellationToken cancellation)
    {
        var account = found.Account;
        if (account.Head.Entry.Span.SequenceEqual(next.Entry.Span))
        {
            // An earlier try did it, at a node that may have gone before it could tell the old session's.
            if (await whereabouts.FindAsync(account.User, cancellation) is { } old)
                _ = EndAsync(old, next.Entry);
            return new PublishOutcome.Published();
        }

        if (account.Head.Number >= next.Number)
            return new PublishOutcome.Overtaken();
        if (next.Number >= KeyLogPace.EntriesMax)
            return new PublishOutcome.Full();
        if (account.Pace.Wait(clock.Unix) is { Ticks: > 0 } wait)
            return new PublishOutcome.TooOften(wait);
        if (!proofs.MayFollow(account.User, account.Head.Entry, next.Entry))
            return new PublishOutcome.Invalid("the key-log entry may not follow the newest one");
        var live = await whereabouts.FindAsync(account.User, cancellation);
        if (live is not null && identity.Policy == SessionPolicy.Reject)
            return new PublishOutcome.Rejected();
        if (!await keyLogs.ArchiveAsync(found, cancellation))
            return new PublishOutcome.Unavailable(0, identity.Copies / 2 + 1);
        var outcome = await registers.ChangeAsync(
            RegisterKey.Account(account.User),
            current => Account.PublishKeys(
                current, next, keyring, clock.Unix, (head, entry) => proofs.MayFollow(account.User, head, entry)),
            cancellation);
        return Judge(outcome, account.User, next, live);
    }

    private PublishOutcome Judge(ChangeOutcome outcome, string user, KeyLogHead next, Lease? live)
    {
        switch (outcome)
        {
            case ChangeOutcome.Stored:
            case ChangeOutcome.Declined(var current) when Account.HasHead(current, next):
                LogPublished(user, next.Epoch);
                if (live is not null)
                    _ = EndAsync(live, next.Entry); // Not awaited: if it fails, the new session's number ends the old.
                return new PublishOutcome.Published();
            case ChangeOutcome.Declined:
                return new PublishOutcome.Overtaken();
            case ChangeOutcome.Unavailable(var reached, var needed):
                return new PublishOutcome.Unavailable(reached, needed);
            default:
                return new PublishOutcome.Unknown();
        }
    }

    private async Task EndAsync(Lease live, ReadOnlyMemory<byte> entry)
    {
        var ending = new SessionEnding(live.User, live.Session, entry);
        for (var pause = EndAgainMin; pause < EndAgainMax; pause *= 2)
        {
            if (peers.Find(live.Node) is { } node && await peers.EndSessionAsync(node, ending, CancellationToken.None))
                return;
            await Task.Delay(pause, clock.Time);
        }

        LogNotTold(live.User);
    }

    [LoggerMessage(5020, LogLevel.Information, "{User} has new keys: device epoch {Epoch}")]
    private partial void LogPublished(string user, uint epoch);

    [LoggerMessage(5021, LogLevel.Information, "The node of {User}'s old session did not answer")]
    private partial void LogNotTold(string user);
}

internal abstract record PublishOutcome
{
    private PublishOutcome() { }

    public sealed record Published : PublishOutcome;

    /// <summary>Another entry came first.</summary>
    public sealed record Overtaken : PublishOutcome;

    public sealed record Invalid(string Why) : PublishOutcome;

    public sealed record NoTicket : PublishOutcome;

    public sealed record Rejected : PublishOutcome;

    /// <summary>The log grew too much lately.</summary>
    public sealed record TooOften(TimeSpan Wait) : PublishOutcome;

    /// <summary>The log has as many entries as one may have.</summary>
    public sealed record Full : PublishOutcome;

    public sealed record Unavailable(int Reached, int Needed) : PublishOutcome;

    public sealed record Unknown : PublishOutcome;
}
