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
        var (answered, lease) = await AskAsync(place.Members, user, cancellation);
        return answered > 0 ? lease : (await AskAsync(peers.All, user, cancellation)).Lease;
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

    /// <summary>Once a majority has answered and some know the user, nobody else is waited for: one of them may be
    /// gone.</summary>
    private async Task<(int Answered, Lease? Lease)> AskAsync(
        IReadOnlyList<Peer> asked, string user, CancellationToken cancellation)
    {
        var (answered, best) = (0, (Lease?)null);
        await foreach (var answer in Task.WhenEach(
            asked.Select(peer => peers.FindLeaseAsync(peer, user, cancellation))))
        {
            if (await answer is not { } found)
                continue;
            answered++;
            if (found.Lease is { } lease && (best is null || IsNewer(lease, best)))
                best = lease;
            if (best is not null && answered > asked.Count / 2)
                break;
        }

        return (answered, best);
    }

    private static bool IsNewer(Lease lease, Lease other) =>
        lease.Session > other.Session || (lease.Session == other.Session && lease.SinceMs > other.SinceMs);
}
