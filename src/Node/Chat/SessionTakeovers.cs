namespace ChordChat.Node.Chat;

/// <summary>Ends sessions here of which a newer one is elsewhere.</summary>
internal sealed partial class SessionTakeovers(
    Accounts accounts, IHostApplicationLifetime host, SessionLines lines, ILogger<SessionTakeovers> logger)
{
    /// <summary>Finds out whether another device has taken over, which its client is told with the proof, or the same
    /// device is connected elsewhere, which its client knows unless it is a copy.</summary>
    public void Superseded(LiveSession session) => _ = EndAsync(session);

    private async Task EndAsync(LiveSession session)
    {
        try
        {
            if (await accounts.ReadAsync(session.User, host.ApplicationStopping) is AccountRead.Found(var account)
                && account.Head.Epoch > session.Epoch)
                session.TakenOver(account.Head.Entry);
            else
                session.End(SessionEnd.OfSameDevice);
            if (lines.Allows(out var unsaid))
                LogSuperseded(session.User, session.Number, unsaid);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    [LoggerMessage(5042, LogLevel.Information,
        "Session {Number} of {User} is over: a newer one is elsewhere ({Unsaid} lines of sessions left out)")]
    private partial void LogSuperseded(string user, ulong number, long unsaid);
}
