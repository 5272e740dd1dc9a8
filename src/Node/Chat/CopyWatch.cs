using ChordChat.Core.Ring;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Tells senders when fewer of the nodes that keep their newest messages can be reached, and when more can
/// again; docs/protocol.md#receipt.</summary>
internal sealed partial class CopyWatch(
    ChatOptions options, SessionTable sessions, IMessageSets sets, ChatPeers peers, ChatClock clock,
    ILogger<CopyWatch> logger) : BackgroundService
{
    private IReadOnlyList<Peer> _seen = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.KeeperInterval, clock.Time, stoppingToken);
                await LookAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    /// <summary>Asks only where something has moved: other nodes can be reached, or those that were named are not the
    /// ones to expect. A node may answer for a while after it said that it goes, so one question is not enough.</summary>
    private async Task LookAsync(CancellationToken stopping)
    {
        var all = peers.All;
        var isOther = !all.SequenceEqual(_seen);
        _seen = [.. all];
        foreach (var ofOne in sessions.All.SelectMany(session => session.Recent.All).GroupBy(sent => sent.Submission.To))
        {
            RecentSend[] sends = [.. ofOne];
            var mailbox = SetKey.Mailbox(ofOne.Key);
            var place = await sets.PlaceAsync(mailbox, stopping);
            Array.ForEach(sends, send => Note(send, place));
            if (isOther || sends.Any(send => !IsAsExpected(send, place, all)))
                Recount(await sets.KeepersAsync(mailbox, stopping), sends, mailbox, stopping);
        }
    }

    private static bool IsAsExpected(RecentSend send, SetPlace place, IReadOnlyList<Peer> reachable) =>
        (place.Epoch > send.KeptIn ? place.Members : send.KeptBy).Where(reachable.Contains).ToHashSet()
            .SetEquals(send.Submission.Copies.Members);

    private static void Note(RecentSend send, SetPlace place)
    {
        if (send.KeptIn == 0)
            send.KeptIn = place.Epoch;
        if (send.KeptIn == place.Epoch && send.Submission.Copies.Members.Count > send.KeptBy.Count)
            send.KeptBy = send.Submission.Copies.Members;
    }

    private void Recount(SetPlace keepers, RecentSend[] sends, SetKey mailbox, CancellationToken stopping)
    {
        foreach (var send in sends)
        {
            var submission = send.Submission;
            // Who is active in a later epoch has what was kept in an earlier one.
            Peer[] now = [.. keepers.Members.Where(member =>
                keepers.Epoch > send.KeptIn || send.KeptBy.Contains(member))];
            submission.Recount(new CopiesKept(now, submission.Copies.Of));
            if (now.Length < submission.Copies.Of && !submission.Envelope.IsEmpty && send.Adding.IsCompleted)
                send.Adding = AddAgainAsync(submission, mailbox, stopping);
        }
    }

    /// <summary>Adding twice is adding once; what is new is told as it comes.</summary>
    private async Task AddAgainAsync(Submission submission, SetKey mailbox, CancellationToken stopping)
    {
        var envelope = submission.Envelope;
        if (envelope.IsEmpty)
            return; // All copies landed since it was looked at.
        try
        {
            await sets.AddAsync(
                mailbox, submission.Id, envelope, submission.SentMs, submission.Progress, stopping);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (Exception cause)
        {
            LogFailed(submission.Id, cause);
        }
    }

    [LoggerMessage(5050, LogLevel.Error, "Adding {Message} where it is missing failed")]
    private partial void LogFailed(Core.Replication.MessageId message, Exception cause);
}
