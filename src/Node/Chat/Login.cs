using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Checks a derived secret and hands out the sealed keyring. Says the same, after the same work, for a wrong
/// password and for a user who does not exist.</summary>
internal sealed partial class Login(
    ChatIdentity identity,
    AccountGlimpses accounts,
    Guesses guesses,
    PasswordWork passwords,
    Tickets tickets,
    KeyLogReader keyLogs,
    Whereabouts whereabouts,
    ChatClock clock,
    ILogger<Login> logger)
{
    private readonly LineBudget _wrongLines = new(30);
    private readonly LineBudget _throttledLines = new(1);
    private readonly LineBudget _grantedLines = new(60);
    private readonly LineBudget _rejectedLines = new(60);

    /// <param name="isKnownDevice">Has keys of the newest epoch already and gets no right to publish others.</param>
    /// <param name="address">Where the guess comes from.</param>
    public async Task<LoginOutcome> LogInAsync(
        string user, string secret, bool isKnownDevice, IPAddress? address, CancellationToken cancellation)
    {
        if (!UserName.IsValid(user))
            return new LoginOutcome.Wrong();
        // Before the try is counted: a stranger who keeps the queue full must not make the user's own tries wait.
        using var turn = await passwords.TryTakeAsync(address, cancellation);
        if (turn is null)
            return new LoginOutcome.Busy();
        if (guesses.WaitOf(address) is { Ticks: > 0 } before)
            return Throttled(user, address, before);
        var seen = await accounts.GlimpseAsync(user, cancellation);
        if (seen is AccountGlimpse.Unavailable(var reached, var needed))
            return new LoginOutcome.Unavailable(reached, needed); // Nothing was guessed, so no try counts.
        if (await guesses.TryAsync(user, address, cancellation) is { Ticks: > 0 } wait)
            return Throttled(user, address, wait);
        var (account, isDegraded) = seen switch
        {
            AccountGlimpse.Agreed(var agreed) => (agreed, false),
            AccountGlimpse.Unproven(var unproven, _, _) => (unproven, true),
            _ => (null, false),
        };
        if (!await passwords.VerifyAsync(secret, account?.Credential, turn, cancellation))
        {
            guesses.Failed(address);
            if (_wrongLines.Allows(clock.Steady, out var unsaid))
                LogWrong(user, address, unsaid);
            // A copy that lags behind may hold what was never agreed: it cannot say that a password is wrong.
            return seen is AccountGlimpse.Unproven(_, var answered, var majority)
                ? new LoginOutcome.Unavailable(answered, majority)
                : new LoginOutcome.Wrong();
        }

        await guesses.SucceededAsync(user, address, isProven: !isDegraded, cancellation);
        return await GrantAsync(account!, isDegraded, isKnownDevice, cancellation);
    }

    private async Task<LoginOutcome> GrantAsync(
        Account account, bool isDegraded, bool isKnownDevice, CancellationToken cancellation)
    {
        var isLive = await whereabouts.FindAsync(account.User, cancellation) is not null;
        if (isLive && !isKnownDevice && identity.Policy == SessionPolicy.Reject)
        {
            if (_rejectedLines.Allows(clock.Steady, out var unsaid))
                LogRejected(account.User, unsaid);
            return new LoginOutcome.Rejected();
        }

        if (await ReadLogAsync(account, cancellation) is not { } log)
            return new LoginOutcome.Unavailable(0, 1);
        if (_grantedLines.Allows(clock.Steady, out var more))
            LogLoggedIn(account.User, isDegraded, more);
        return new LoginOutcome.Granted(
            account.Keyring,
            log,
            isDegraded || isKnownDevice ? default : tickets.Issue(account.User, account.Head.Number),
            isDegraded,
            isLive);
    }

    /// <summary>Null when no copy of one of the older entries answers: they are in tiles of their own.</summary>
    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>?> ReadLogAsync(
        Account account, CancellationToken cancellation)
    {
        try
        {
            return await keyLogs.ReadAsync(account, 0, cancellation);
        }
        catch (NoMajorityException)
        {
            return null;
        }
    }

    private LoginOutcome.Throttled Throttled(string user, IPAddress? address, TimeSpan wait)
    {
        if (_throttledLines.Allows(clock.Steady, out var unsaid))
            LogThrottled(user, address, (long)wait.TotalMilliseconds, unsaid);
        return new LoginOutcome.Throttled(wait);
    }

    [LoggerMessage(5010, LogLevel.Information,
        "{User} logged in (degraded: {IsDegraded}; {Unsaid} more like it were not logged)")]
    private partial void LogLoggedIn(string user, bool isDegraded, long unsaid);

    [LoggerMessage(5011, LogLevel.Information,
        "Wrong password or name: {User} from {Address} ({Unsaid} more like it were not logged)")]
    private partial void LogWrong(string user, IPAddress? address, long unsaid);

    [LoggerMessage(5012, LogLevel.Warning,
        "Guesses of {User}'s password from {Address} wait {Ms} ms ({Unsaid} more waited since the last line)")]
    private partial void LogThrottled(string user, IPAddress? address, long ms, long unsaid);

    [LoggerMessage(5013, LogLevel.Information,
        "Login of {User} refused: a session is live and the policy is reject ({Unsaid} more were not logged)")]
    private partial void LogRejected(string user, long unsaid);
}

internal abstract record LoginOutcome
{
    private LoginOutcome() { }

    /// <param name="Ticket">Empty when nothing may be published.</param>
    public sealed record Granted(
        ReadOnlyMemory<byte> Keyring,
        IReadOnlyList<ReadOnlyMemory<byte>> KeyLog,
        ReadOnlyMemory<byte> Ticket,
        bool IsDegraded,
        bool IsSessionLive) : LoginOutcome;

    public sealed record Wrong : LoginOutcome;

    public sealed record Throttled(TimeSpan Wait) : LoginOutcome;

    public sealed record Rejected : LoginOutcome;

    public sealed record Busy : LoginOutcome;

    public sealed record Unavailable(int Reached, int Needed) : LoginOutcome;
}
