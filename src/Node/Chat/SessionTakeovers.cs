using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Ends sessions here of which a newer one is elsewhere, by what their users have signed.</summary>
/// <remarks>docs/protocol.md#newer-session.</remarks>
internal sealed partial class SessionTakeovers(
    ChatIdentity identity,
    Accounts accounts,
    IRegisterGlimpses registers,
    SessionNumbers numbers,
    ChatPeers peers,
    ClientProofs proofs,
    IHostApplicationLifetime host,
    SessionLines lines,
    ChatClock clock,
    ILogger<SessionTakeovers> logger)
{
    /// <summary>Finds out whether another device has taken over, or the same device is connected elsewhere, and tells
    /// the client with the proof. Without one the session goes on.</summary>
    /// <param name="claimed">Where a member of the mailbox's tile says that the newer session is.</param>
    public void Superseded(LiveSession session, NodeId claimed)
    {
        if (session.TryDoubt())
            _ = JudgeAsync(session, claimed);
    }

    private async Task JudgeAsync(LiveSession session, NodeId claimed)
    {
        try
        {
            await JudgeAsync(session, claimed, host.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (InvalidDataException cause)
        {
            LogDamaged(session.User, cause);
        }
        finally
        {
            session.Doubted();
        }
    }

    private async Task JudgeAsync(LiveSession session, NodeId claimed, CancellationToken stopping)
    {
        var account = (await accounts.ReadAsync(session.User, stopping) as AccountRead.Found)?.Account;
        if (account?.Head.Epoch > session.Epoch)
        {
            session.TakenOver(account.Head.Entry);
            LogEnded(session);
            return;
        }

        var node = await NodeOfNewestAsync(session, claimed, stopping);
        if (node is { } newest && await FindLaterAsync(session, newest, stopping) is { } later)
        {
            session.End(SessionEnd.OfSameDevice(newest, later));
            LogEnded(session);
            return;
        }

        if (node is not null && !session.Lifetime.IsCancellationRequested
            && account?.Head.Entry.Span.SequenceEqual(session.Entry.Span) == true
            && await numbers.NextAsync(session.User, session.Epoch, session.Device, stopping)
                is SessionNumber.Agreed(var record))
            session.Confirmed(record);
        if (session.MayReadInDoubt(clock.Steady))
            session.Mail.Scan(); // Meanwhile its mail may have been handed to another node.
    }

    /// <returns>Null when a majority says that the session here is the newest.</returns>
    private async Task<NodeId?> NodeOfNewestAsync(LiveSession session, NodeId claimed, CancellationToken stopping)
    {
        if (await registers.GlimpseAsync(RegisterKey.Session(session.User), stopping)
            is not Glimpse.Agreed({ IsEmpty: false } value))
            return claimed;
        var newest = SessionRecord.FromBytes(value);
        return newest.Number > session.Number || newest.Node != identity.Self.Node ? newest.Node : null;
    }

    /// <summary>The later hello of the same device by which that node let a client in; null if it shows none.</summary>
    private async Task<KeptHello?> FindLaterAsync(LiveSession session, NodeId node, CancellationToken stopping) =>
        peers.Find(node) is { } peer
        && await peers.FindHelloAsync(peer, session.User, stopping) is { Hello: { } shown }
        && shown.Hello.User == session.User && shown.Hello.Epoch == session.Epoch
        && shown.IsLaterThan(session.Hello)
        && proofs.IsSignedBy(session.Entry, shown.Hello, shown.NodeNonce.Span, node)
            ? shown
            : null;

    private void LogEnded(LiveSession session)
    {
        if (lines.Allows(out var unsaid))
            LogSuperseded(session.User, session.Number, unsaid);
    }

    [LoggerMessage(5042, LogLevel.Information,
        "Session {Number} of {User} is over: a newer one is elsewhere ({Unsaid} lines of sessions left out)")]
    private partial void LogSuperseded(string user, ulong number, long unsaid);

    [LoggerMessage(5049, LogLevel.Error, "A record of {User} is damaged: cannot tell if there is a newer session")]
    private partial void LogDamaged(string user, Exception cause);
}
