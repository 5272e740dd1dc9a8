using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Keeps the leases of this node's sessions at the members of their mailbox tiles: one message to each member,
/// however many sessions.</summary>
internal sealed class LeaseRenewals(IMessageSets sets, ChatPeers peers, SessionTakeovers takeovers)
{
    private const int BatchMax = 2_000;

    public async Task RenewAsync(IReadOnlyList<LiveSession> due, CancellationToken cancellation)
    {
        var byMember = new Dictionary<Peer, List<LiveSession>>();
        foreach (var session in due)
            foreach (var member in (await sets.PlaceAsync(SetKey.Mailbox(session.User), cancellation)).Members)
            {
                if (!byMember.TryGetValue(member, out var sessions))
                    byMember[member] = sessions = [];
                sessions.Add(session);
            }

        await Task.WhenAll(byMember.SelectMany(pair => pair.Value.Chunk(BatchMax)
            .Select(sessions => RenewAsync(pair.Key, sessions, cancellation))));
        foreach (var session in due)
            session.WasRenewed = true;
    }

    /// <summary>The session is over: its user is offline now, not in 15 s.</summary>
    public async Task EndAsync(LiveSession session, CancellationToken cancellation)
    {
        var place = await sets.PlaceAsync(SetKey.Mailbox(session.User), cancellation);
        LeaseRenewal[] ending = [new(session.Lease, Ends: true)];
        await Task.WhenAll(place.Members.Select(member => peers.RenewAsync(member, ending, cancellation)));
    }

    private async Task RenewAsync(Peer member, LiveSession[] sessions, CancellationToken cancellation)
    {
        var renewals = Array.ConvertAll(sessions, session => new LeaseRenewal(session.Lease, Ends: false));
        if (await peers.RenewAsync(member, renewals, cancellation) is not { } answers
            || answers.Count != sessions.Length)
            return; // Unreachable: the other members keep the lease.
        for (var i = 0; i < sessions.Length; i++)
        {
            if (answers[i].IsUnproven)
                continue; // As if it had not answered.
            if (Supersedes(answers[i].Current, renewals[i].Lease))
                takeovers.Superseded(sessions[i], answers[i].Current.Node);
            // Even then: the member may lie, or pass on a record that somebody made up.
            sessions[i].Mail.Heard(answers[i].PendingCount, isNew: !sessions[i].WasRenewed);
        }
    }

    private static bool Supersedes(Lease current, Lease ours) =>
        current.Session > ours.Session || (current.Session == ours.Session && current.SinceMs > ours.SinceMs);
}
