using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>Answers what other nodes ask this one's chat. Never waits.</summary>
internal sealed class PeerChatAnswers(PeerRequests chat)
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
                return new() { Deliver = new() { Result = chat.Deliver(call.Deliver.ToCore()).ToWire() } };
            case Call.BodyOneofCase.RenewLeases:
                return new() { RenewLeases = Renew(from, call.RenewLeases) };
            case Call.BodyOneofCase.FindLease:
                var found = chat.FindLease(call.FindLease.User.ToUser());
                return new() { FindLease = new() { Lease = found.Lease?.ToWire() } };
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
        var answers = chat.Renew(renewals);
        return new()
        {
            Leases =
            {
                answers.Select(one =>
                    new LeaseRenewalAnswer { Current = one.Current.ToWire(), Pending = one.PendingCount }),
            },
        };
    }
}
