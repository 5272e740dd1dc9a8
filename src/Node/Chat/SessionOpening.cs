using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Lets a client in: its device's signature, then the next number in the session register, then its place
/// among those who are online here.</summary>
internal sealed partial class SessionOpening(
    ChatIdentity identity,
    ChatOptions options,
    Accounts accounts,
    AccountGlimpses glimpses,
    SessionNumbers numbers,
    IMessageSets sets,
    SessionTable sessions,
    KeptHellos hellos,
    LeaseRenewals leases,
    ClientProofs proofs,
    KeyLogReader keyLogs,
    SessionLines lines,
    ChatClock clock,
    ILogger<SessionOpening> logger)
{
    private const string NotTheirs = "no such user, or not their device";
    private const string TakenOver = "another device has signed in since";
    private static readonly TimeSpan AnnounceMax = TimeSpan.FromMilliseconds(250);

    private readonly LineBudget _badLines = new(30);

    /// <remarks>docs/protocol.md#passes: whoever did not sign as a device of the user, now or once, learns nothing.
    /// </remarks>
    /// <param name="nodeNonce">32 bytes of the challenge; its caller uses it once.</param>
    /// <param name="call">Ends when the client's call ends.</param>
    public async Task<OpenOutcome> OpenAsync(SessionHello hello, ReadOnlyMemory<byte> nodeNonce, CancellationToken call)
    {
        if (!UserName.IsValid(hello.User))
            return Refused(UserName.Rule);
        switch (await glimpses.GlimpseAsync(hello.User, call))
        {
            case AccountGlimpse.Agreed(var account) when IsNewestDevice(account, hello, nodeNonce):
                return await OpenAsync(account, default, hello, nodeNonce, call);
            case AccountGlimpse.Agreed(var account):
                return await RefuseAsync(account, hello, nodeNonce, call);
            case AccountGlimpse.None:
                proofs.IsSignedBy(default, hello, nodeNonce.Span);
                return NotTheirDevice(hello);
            case AccountGlimpse.Unproven(var account, var reached, var needed):
                // A copy that lags behind does not know the newest device: it lets in whom it knows and refuses nobody.
                return IsNewestDevice(account, hello, nodeNonce)
                    ? await OpenAsync(account, account.Head.Entry, hello, nodeNonce, call)
                    : new OpenOutcome.Unavailable(reached, needed);
            case AccountGlimpse.Unavailable(var reached, var needed):
                return new OpenOutcome.Unavailable(reached, needed);
            case var other:
                throw new InvalidOperationException($"no session by {other}");
        }
    }

    /// <summary>Tries to get a degraded session what it lacks: a majority's word that this is the user's device, and a
    /// number. Ends it when a majority says otherwise.</summary>
    public async Task ConfirmAsync(LiveSession session, CancellationToken stopping)
    {
        // Also of a session whose entry a majority knows: the reading brings the account to copies that missed it, and
        // without it those take no number (docs/protocol.md#value-rules).
        switch (await accounts.ReadAsync(session.User, stopping))
        {
            case AccountRead.Unavailable:
                return;
            case AccountRead.Found(var account) when account.Head.Entry.Span.SequenceEqual(session.Entry.Span):
                break;
            case AccountRead.Found(var account) when account.Head.Epoch > session.Epoch:
                session.TakenOver(account.Head.Entry);
                return;
            default:
                session.End(new SessionEnd(SessionEndReason.Refused, default, NotTheirs));
                return;
        }

        if (await numbers.NextAsync(session.User, session.Epoch, session.Device, stopping) is
            SessionNumber.Agreed(var record))
            session.Confirmed(record);
    }

    /// <summary>Tells the members of the mailbox's tile where the user is now, and then brings the mail. That order, so
    /// that a message which this reading misses is delivered live; but a member that is gone delays no mail.</summary>
    public async Task AnnounceAsync(LiveSession session)
    {
        var announcing = leases.RenewAsync([session], session.Lifetime);
        await Task.WhenAny(announcing, Task.Delay(AnnounceMax, clock.Time));
        session.Mail.Scan();
        await announcing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // It throws when the session is over.
    }

    private bool IsNewestDevice(Account account, SessionHello hello, ReadOnlyMemory<byte> nodeNonce) =>
        hello.Epoch == account.Head.Epoch && proofs.IsSignedBy(account.Head.Entry, hello, nodeNonce.Span);

    /// <summary>Tells a device that was replaced who did it, once it has shown that it is one; nobody else anything.
    /// </summary>
    private async Task<OpenOutcome> RefuseAsync(
        Account account, SessionHello hello, ReadOnlyMemory<byte> nodeNonce, CancellationToken call)
    {
        if (hello.Epoch == 0 || hello.Epoch >= account.Head.Epoch)
        {
            proofs.IsSignedBy(default, hello, nodeNonce.Span); // The same work as for a name that nobody has.
            return NotTheirDevice(hello);
        }

        var entry = await keyLogs.ReadOldAsync(account, hello.Epoch - 1, call); // Epochs count from 1.
        if (entry.IsEmpty)
            return Elsewhere("part of the key log cannot be read now");
        if (!proofs.IsSignedBy(entry, hello, nodeNonce.Span))
            return NotTheirDevice(hello);
        try
        {
            var since = await keyLogs.ReadAsync(account, hello.Epoch, call);
            return new OpenOutcome.Refused(
                new(SessionEndReason.TakenOver, account.Head.Entry, TakenOver) { Since = since });
        }
        catch (NoMajorityException)
        {
            return Elsewhere("part of the key log cannot be read now");
        }
    }

    private OpenOutcome.Refused NotTheirDevice(SessionHello hello)
    {
        if (_badLines.Allows(clock.Steady, out var unsaid))
            LogBadSignature(hello.User, hello.Client, unsaid);
        return Refused(NotTheirs);
    }

    /// <param name="unproven">The account's newest entry if no majority agrees on it; else empty.</param>
    private async Task<OpenOutcome> OpenAsync(
        Account account, ReadOnlyMemory<byte> unproven, SessionHello hello, ReadOnlyMemory<byte> nodeNonce,
        CancellationToken call)
    {
        if (hello.PassOnly)
            return new OpenOutcome.Proved(account.User);
        var proof = new KeptHello(hello, nodeNonce);
        hellos.Keep(proof, isAgreed: unproven.IsEmpty);
        var device = ClientProofs.DeviceOf(account);
        var (record, isDegraded) = await numbers.NextAsync(account.User, hello.Epoch, device, call) switch
        {
            SessionNumber.Agreed(var agreed) => (agreed, !unproven.IsEmpty),
            SessionNumber.Last(var last) => (last, true),
            _ => (null, true),
        };
        if (record is null)
            return Elsewhere("whether another device has signed in since cannot be told now");
        if (!unproven.IsEmpty && sessions.Find(account.User) is { } there && there.Device != device)
            return Elsewhere("a session of another device is here, and no majority says which is the newer one");
        var session = new LiveSession(account.User, record, isDegraded, sets, options, clock.Steady, call)
        {
            Hello = proof,
            Entry = account.Head.Entry,
            UnprovenEntry = unproven,
        };
        if (!TakePlace(session, account))
            return Elsewhere("a newer session of yours is here already");
        if (lines.Allows(out var unsaid))
            LogOpened(session.User, session.Number, hello.Client, session.IsDegraded, unsaid);
        return new OpenOutcome.Opened(session);
    }

    private bool TakePlace(LiveSession session, Account account)
    {
        var older = sessions.Add(session);
        if (older == session)
        {
            session.Dispose();
            return false;
        }

        if (older?.Device == session.Device)
            older.End(SessionEnd.OfSameDevice(identity.Self.Node, session.Hello)); // As a rule a dead connection.
        else
            older?.TakenOver(account.Head.Entry);
        return true;
    }

    private static OpenOutcome.Refused Refused(string why) => new(new(SessionEndReason.Refused, default, why));

    private static OpenOutcome.Refused Elsewhere(string why) => new(SessionEnd.Elsewhere(why));

    [LoggerMessage(5040, LogLevel.Information,
        "{User} is here: session {Number}, {Client} (degraded: {IsDegraded}; {Unsaid} lines of sessions left out)")]
    private partial void LogOpened(string user, ulong number, string client, bool isDegraded, long unsaid);

    [LoggerMessage(5041, LogLevel.Warning,
        "A hello as {User} was not signed by a device of theirs ({Client}; {Unsaid} more like it were not logged)")]
    private partial void LogBadSignature(string user, string client, long unsaid);
}

internal abstract record OpenOutcome
{
    private OpenOutcome() { }

    public sealed record Opened(LiveSession Session) : OpenOutcome;

    /// <summary>It is the user's device and wants no session.</summary>
    public sealed record Proved(string User) : OpenOutcome;

    public sealed record Refused(SessionEnd End) : OpenOutcome;

    public sealed record Unavailable(int Reached, int Needed) : OpenOutcome;
}
