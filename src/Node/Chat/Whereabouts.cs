using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Who is online, and where.</summary>
internal sealed class Whereabouts(IMessageSets sets, ChatPeers peers)
{
    /// <summary>The user's live session: asks who keeps its lease, and all nodes when none of those answers.</summary>
    public async Task<Lease?> FindAsync(string user, CancellationToken cancellation)
    {
        var place = await sets.PlaceAsync(SetKey.Mailbox(user), cancellation);
        var answers = await AskAsync(place.Members, user, cancellation);
        if (answers.All(answer => answer is null))
            answers = await AskAsync(peers.All, user, cancellation);
        return answers
            .Select(answer => answer?.Lease)
            .OfType<Lease>()
            .OrderByDescending(lease => (lease.Session, lease.SinceMs))
            .FirstOrDefault();
    }

    /// <summary>Everybody who is connected to a node that answers.</summary>
    public async Task<IReadOnlyList<Lease>> ListAsync(int max, CancellationToken cancellation)
    {
        var lists = await Task.WhenAll(peers.All.Select(peer => peers.ListSessionsAsync(peer, max, cancellation)));
        return [.. lists
            .SelectMany(list => list ?? [])
            .GroupBy(lease => lease.User)
            .Select(ofUser => ofUser.MaxBy(lease => lease.Session)!)
            .OrderBy(lease => lease.User, StringComparer.Ordinal)
            .Take(max)];
    }

    private Task<LeaseFound?[]> AskAsync(
        IReadOnlyList<Peer> asked, string user, CancellationToken cancellation) =>
        Task.WhenAll(asked.Select(peer => peers.FindLeaseAsync(peer, user, cancellation)));
}
