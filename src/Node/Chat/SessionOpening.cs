using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Lets a client in: its device's signature, then the next number in the session register, then its place
/// among those who are online here.</summary>
internal sealed partial class SessionOpening(
    ChatIdentity identity,
    ChatOptions options,
    Accounts accounts,
    IRegisters registers,
    IMessageSets sets,
    SessionTable sessions,
    LeaseRenewals leases,
    ClientProofs proofs,
    ChatClock clock,
    ILogger<SessionOpening> logger)
{
    private const int TryCount = 3;
    private static readonly TimeSpan AnnounceMax = TimeSpan.FromMilliseconds(250);

    /// <param name="nodeNonce">32 bytes of the challenge; its caller uses it once.</param>
    /// <param name="call">Ends when the client's call ends.</param>
    public async Task<OpenOutcome> OpenAsync(SessionHello hello, ReadOnlyMemory<byte> nodeNonce, CancellationToken call)
    {
        if (!UserName.IsValid(hello.User))
            return Refused(UserName.Rule);
        switch (await accounts.ReadAsync(hello.User, call))
        {
            case AccountRead.Unavailable(var reached, var needed):
                return new OpenOutcome.Unavailable(reached, needed);
            case AccountRead.Found(var account, var isDegraded):
                return await OpenAsync(account, isDegraded, hello, nodeNonce, call);
            default:
                return Refused("no such user, or not their device");
        }
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

    private async Task<OpenOutcome> OpenAsync(
        Account account, bool isDegraded, SessionHello hello, ReadOnlyMemory<byte> nodeNonce, CancellationToken call)
    {
        if (hello.Epoch < account.Head.Epoch)
            return new OpenOutcome.Refused(new SessionEnd(
                SessionEndReason.TakenOver, account.Head.Entry, "another device has signed in since"));
        if (hello.Epoch != account.Head.Epoch || !proofs.IsSignedBy(account, hello, nodeNonce.Span))
        {
            LogBadSignature(hello.User, hello.Client);
            return Refused("no such user, or not their device");
        }

        var device = ClientProofs.DeviceOf(account);
        var number = await NumberAsync(account.User, hello.Epoch, device, call);
        if (number.Record is not { } record)
            return number.Refusal ?? Refused("another device has signed in since");
        var session = new LiveSession(
            account.User, record, isDegraded || number.IsDegraded, sets, options, clock.Steady, call);
        if (!TakePlace(session, account))
            return Refused("a newer session of yours is here already");
        LogOpened(session.User, session.Number, hello.Client, session.IsDegraded);
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
            older.Close(); // The same device, here again: what it had is a dead connection.
        else
            older?.TakenOver(account.Head.Entry);
        return true;
    }

    /// <summary>The next number for this user's session, as a majority agrees; without one, the last known.</summary>
    public async Task<(SessionRecord? Record, bool IsDegraded, OpenOutcome? Refusal)> NumberAsync(
        string user, uint epoch, UInt128 device, CancellationToken cancellation)
    {
        var (key, now) = (RegisterKey.Session(user), clock.Unix);
        for (var i = 0; i < TryCount; i++)
            switch (await registers.ChangeAsync(
                key, current => SessionRecord.Open(current, identity.Self.Node, epoch, device, now), cancellation))
            {
                case ChangeOutcome.Stored(var value):
                    return (SessionRecord.FromBytes(value), false, null);
                case ChangeOutcome.Declined:
                    return (null, false, null);
                case ChangeOutcome.Unavailable:
                    return await LastNumberAsync(user, epoch, device, now, cancellation);
            }

        return (null, false, new OpenOutcome.Unavailable(0, identity.Copies / 2 + 1));
    }

    private async Task<(SessionRecord?, bool, OpenOutcome?)> LastNumberAsync(
        string user, uint epoch, UInt128 device, long now, CancellationToken cancellation)
    {
        var last = await registers.ReadAsync(RegisterKey.Session(user), cancellation) switch
        {
            ReadOutcome.Agreed(var value) => value,
            ReadOutcome.Unavailable(var newest, _, _) => newest ?? default,
            _ => default,
        };
        var record = last.IsEmpty ? null : SessionRecord.FromBytes(last);
        return record?.Epoch > epoch
            ? (null, true, null)
            : (new(record?.Number ?? 0, identity.Self.Node, epoch, device, now, IsOpen: true), true, null);
    }

    private static OpenOutcome.Refused Refused(string why) => new(new(SessionEndReason.Refused, default, why));

    [LoggerMessage(5040, LogLevel.Information, "{User} is here: session {Number}, {Client} (degraded: {IsDegraded})")]
    private partial void LogOpened(string user, ulong number, string client, bool isDegraded);

    [LoggerMessage(5041, LogLevel.Warning, "A hello as {User} was not signed by their device ({Client})")]
    private partial void LogBadSignature(string user, string client);
}

internal abstract record OpenOutcome
{
    private OpenOutcome() { }

    public sealed record Opened(LiveSession Session) : OpenOutcome;

    public sealed record Refused(SessionEnd End) : OpenOutcome;

    public sealed record Unavailable(int Reached, int Needed) : OpenOutcome;
}
