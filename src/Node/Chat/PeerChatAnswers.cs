using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Wire;

namespace ChordChat.Node.Chat;

/// <summary>Answers what other nodes ask this one's chat. Never waits.</summary>
internal sealed class PeerChatAnswers(
    PeerRequests chat, ShownSessions shown, TileDirectory directory, TileBoard board)
{
    private const int ListedMax = 10_000;

    /// <summary>Null when the call is about something else.</summary>
    /// <param name="from">The node that calls, as its certificate says.</param>
    /// <exception cref="MalformedException">A field is not what this version writes.</exception>
    public Answer? Answer(NodeId from, Call call)
    {
        switch (call.BodyCase)
        {
            case Call.BodyOneofCase.Deliver:
                return new() { Deliver = new() { Result = Deliver(from, call.Deliver.ToCore()) } };
            case Call.BodyOneofCase.RenewLeases:
                return new() { RenewLeases = Renew(from, call.RenewLeases) };
            case Call.BodyOneofCase.FindLease:
                var found = chat.FindLease(call.FindLease.User.ToUser());
                return new() { FindLease = new() { Lease = found.Lease?.ToWire() } };
            case Call.BodyOneofCase.FindHello:
                var hello = chat.FindHello(call.FindHello.User.ToUser()).Hello;
                return new() { FindHello = new() { Hello = hello?.ToWire() } };
            case Call.BodyOneofCase.EndSession:
                var end = call.EndSession;
                chat.EndSession(new(end.User.ToUser(), end.Session, end.Entry.Memory));
                return new() { EndSession = ReplicaMap.Nothing };
            case Call.BodyOneofCase.CountGuess:
                var wait = chat.CountGuess(call.CountGuess.ToGuess());
                return new() { CountGuess = new() { WaitMs = (long)wait.TotalMilliseconds } };
            case Call.BodyOneofCase.ListSessions:
                var listed = chat.ListSessions((int)Math.Min(call.ListSessions.Limit, ListedMax));
                return new() { ListSessions = new() { Leases = { listed.Select(lease => lease.ToWire()) } } };
            default:
                return null;
        }
    }

    private RenewLeasesAnswer Renew(NodeId from, RenewLeasesCall call)
    {
        if (call.Renewals.Count > PeerChatMap.UsersMax)
            throw new MalformedException("number of leases");
        LeaseRenewal[] renewals = [.. call.Renewals.Select(one => new LeaseRenewal(one.Lease.ToLease(), one.Ends))];
        if (Array.Exists(renewals, renewal => renewal.Lease.Node != from))
            throw new MalformedException("a lease of another node");
        var isGood = Array.ConvertAll(renewals, renewal => MaySay(from, renewal.Lease.User));
        var renewed = new Queue<LeaseAnswer>(chat.Renew([.. renewals.Where((_, i) => isGood[i])]));
        return new()
        {
            Leases =
            {
                renewals.Select((renewal, i) => isGood[i]
                    ? renewed.Dequeue().ToWire()
                    : new LeaseAnswer(renewal.Lease, 0, IsUnproven: true).ToWire()),
            },
        };
    }

    /// <summary>Who keeps the mailbox has all mail for the user anyway.</summary>
    private DeliverAnswer.Types.Result Deliver(NodeId from, LiveMessage message) =>
        KeepsMailOf(message.User, from) || shown.Allow(from, message)
            ? chat.Deliver(message).ToWire()
            : DeliverAnswer.Types.Result.Unproven;

    private bool MaySay(NodeId from, string user) =>
        KeepsMailOf(user, from) || shown.Allow(from, new SessionNeed(user, SessionRight.Read));

    /// <summary>By what this node itself keeps: the directory is only hearsay.</summary>
    private bool KeepsMailOf(string user, NodeId node) =>
        board.Of(directory.At(SetKey.Mailbox(user).Point).Tile)?.Configuration.Contains(node) == true;
}
