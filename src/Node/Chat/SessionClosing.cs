using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>What follows when a client logs out or its connection ends.</summary>
internal sealed partial class SessionClosing(
    SessionTable sessions,
    LeaseRenewals leases,
    IRegisters registers,
    IHostApplicationLifetime host,
    SessionLines lines,
    ILogger<SessionClosing> logger)
{
    /// <summary>The client says goodbye: it is offline at once, everywhere.</summary>
    public async Task LogOutAsync(LiveSession session)
    {
        sessions.Remove(session);
        session.End(new SessionEnd(SessionEndReason.LoggedOut, default, "logged out"));
        try
        {
            await leases.EndAsync(session, host.ApplicationStopping);
            await registers.ChangeAsync(
                RegisterKey.Session(session.User),
                current => SessionRecord.Close(current, session.Number),
                host.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            // The node stops; the lease runs out.
        }

        if (lines.Allows(out var unsaid))
            LogLoggedOut(session.User, session.Number, unsaid);
    }

    /// <summary>The connection is gone. The lease goes on for up to 15 s: most clients come back at once.</summary>
    public void Disconnected(LiveSession session)
    {
        sessions.Remove(session);
        session.Dispose();
        if (lines.Allows(out var unsaid))
            LogDisconnected(session.User, session.Number, unsaid);
    }

    [LoggerMessage(5044, LogLevel.Information,
        "{User} logged out of session {Number} ({Unsaid} lines of sessions left out)")]
    private partial void LogLoggedOut(string user, ulong number, long unsaid);

    [LoggerMessage(5045, LogLevel.Information,
        "{User}'s connection ended, session {Number} ({Unsaid} lines of sessions left out)")]
    private partial void LogDisconnected(string user, ulong number, long unsaid);
}
