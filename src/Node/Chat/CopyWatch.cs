using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Tells senders when fewer of the nodes that keep their newest messages can be reached, and when more can
/// again; docs/protocol.md#receipt.</summary>
internal sealed partial class CopyWatch(
    ChatOptions options, SessionTable sessions, IMessageSets sets, DeliveryOrder order, ChatPeers peers,
    ChatClock clock, ILogger<CopyWatch> logger) : ILoop
{
    private IReadOnlyList<Peer> _seen = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(options.KeeperInterval, clock.Time, stopping);
            await LookAsync(stopping);
        }
    }

    /// <summary>Asks only where something has moved: other nodes can be reached, or those that were named are not the
    /// ones to expect. A node may answer for a while after it said that it goes, so one question is not
    /// enough.</summary>
    private async Task LookAsync(CancellationToken stopping)
    {
        var all = peers.All;
        var isOther = !all.SequenceEqual(_seen);
        _seen = [.. all];
        var now = clock.Unix; // What is old may have been acknowledged and forgotten: nobody has it, and that is right.
        var recent = sessions.All.SelectMany(session => session.Recent.All)
            .Where(send => !send.Submission.IsOld(now));
        foreach (var ofOne in recent.GroupBy(sent => sent.Submission.To))
        {
            var mailbox = SetKey.Mailbox(ofOne.Key);
            var place = await sets.PlaceAsync(mailbox, stopping);
            foreach (var sends in ofOne.Where(send => send.IsDue(place, all, isOther)).Chunk(Holders.IdsMax))
                await RecountAsync(mailbox, sends, stopping);
        }
    }

    private async Task RecountAsync(SetKey mailbox, RecentSend[] sends, CancellationToken stopping)
    {
        var now = await sets.HoldersAsync(mailbox, [.. sends.Select(send => send.Submission.Id)], stopping);
        foreach (var (send, have) in sends.Zip(now))
        {
            send.Recount(have);
            if (have.Members.Count < have.Of && send.Adding.IsCompleted)
                send.Adding = AddAgainAsync(send.Submission, mailbox, stopping);
        }
    }

    /// <summary>Adding twice is adding once; what is new is told as it comes.</summary>
    private async Task AddAgainAsync(Submission submission, SetKey mailbox, CancellationToken stopping)
    {
        var envelope = submission.Envelope;
        if (envelope.IsEmpty)
            return; // All copies have landed, or it was forgotten: nothing to add.
        try
        {
            await sets.AddAsync(
                mailbox, order.HandedIn(submission), submission.Id, envelope, submission.Progress, stopping);
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
    private partial void LogFailed(Core.Tiles.MessageId message, Exception cause);
}
