using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>The one loop that looks after all sessions of this node: leases, silence, and what has to be tried again.
/// </summary>
internal sealed partial class SessionKeeper(
    ChatOptions options,
    SessionTable sessions,
    LeaseRenewals leases,
    IHostApplicationLifetime host,
    SessionOpening opening,
    ChatClock clock,
    ILogger<SessionKeeper> logger) : ILoop
{
    /// <summary>Tells every client to go elsewhere, and whoever comes from now on too.</summary>
    public void MoveAll()
    {
        sessions.CloseDoor();
        foreach (var session in sessions.All)
            session.End(SessionEnd.OfStoppingNode);
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        // Clients are sent away as soon as the node begins to stop: Kestrel waits for their calls.
        await using var leaving = host.ApplicationStopping.Register(MoveAll);
        while (true)
        {
            await Task.Delay(Jittered(options.KeeperInterval), clock.Time, stopping);
            await BeatAsync(stopping);
        }
    }

    private async Task BeatAsync(CancellationToken stopping)
    {
        var now = clock.Steady;
        List<LiveSession>? due = null;
        foreach (var session in sessions.All)
        {
            if (now - session.HeardAt > ChatLimits.LeaseTime.TotalMilliseconds)
            {
                LogSilent(session.User, session.Number);
                session.End(new(SessionEndReason.TooSlow, default, "nothing was heard from this client for 15 s"));
                continue;
            }

            if (now < session.NextRenewalAt)
                continue;
            session.NextRenewalAt = now + (long)Jittered(options.HeartbeatInterval).TotalMilliseconds;
            (due ??= []).Add(session);
        }

        if (due is null)
            return;
        await leases.RenewAsync(due, stopping);
        foreach (var session in due)
        {
            if (session.Mail.IsScanDue)
                session.Mail.Scan();
            if (session.Settling.IsDue)
                session.Settling.Start();
            if (session.IsDegraded && session.Confirming.IsCompleted)
                session.Confirming = opening.ConfirmAsync(session, stopping); // Leases must not wait for it.
        }
    }

    private static TimeSpan Jittered(TimeSpan interval) => interval * (0.75 + Random.Shared.NextDouble() / 4);

    [LoggerMessage(5043, LogLevel.Information, "Nothing was heard from {User} for 15 s; session {Number} is over")]
    private partial void LogSilent(string user, ulong number);
}
