using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Who is online, and where.</summary>
internal sealed class Whereabouts(IMessageSets sets, ChatPeers peers, ChatClock clock)
{
    /// <summary>People in a list.</summary>
    public const int ListMax = 10_000;

    /// <summary>From one list to the next: each asks every node.</summary>
    private static readonly TimeSpan ListPause = TimeSpan.FromMilliseconds(250);

    /// <summary>People who are said to be at several nodes, and are asked about in one list.</summary>
    private const int SettledMax = 64;

    private readonly Lock _turn = new();
    private Task<Listing>? _next;
    private long? _listedAt;

    /// <summary>The user's live session: asks who keeps its lease, and all nodes when none of those answers; then each
    /// is asked for itself only.</summary>
    public async Task<Lease?> FindAsync(string user, CancellationToken cancellation)
    {
        var (answered, lease) = await AskMembersAsync(user, cancellation);
        return answered > 0 ? lease : (await AskAsync(peers.All, user, ofItself: true, cancellation)).Lease;
    }

    /// <summary>Everybody who is connected to a node that answers.</summary>
    public async Task<IReadOnlyList<Lease>> ListAsync(int max, CancellationToken cancellation)
    {
        Task<Listing> next;
        lock (_turn)
            next = _next ??= ListSoonAsync();
        var (online, settled) = await next.WaitAsync(cancellation);
        return online.Merge(settled, max);
    }

    /// <summary>Whoever asks before it begins shares it, so that many questions cost no more than one.</summary>
    private async Task<Listing> ListSoonAsync()
    {
        await Task.Yield(); // The question that began it has to see it as the next one.
        if (_listedAt is { } last && ListPause - clock.Time.GetElapsedTime(last) is var rest && rest > TimeSpan.Zero)
            await Task.Delay(rest, clock.Time);
        lock (_turn)
            (_next, _listedAt) = (null, clock.Time.GetTimestamp());
        var online = new OnlineLists();
        var asked = peers.All;
        var lists = await Task.WhenAll(
            asked.Select(peer => peers.ListSessionsAsync(peer, ListMax, CancellationToken.None)));
        foreach (var (peer, list) in asked.Zip(lists))
            online.Add(peer.Node, list ?? [], ListMax);
        var disputed = await Task.WhenAll(online.Disputed.Order(StringComparer.Ordinal).Take(SettledMax)
            .Select(user => AskMembersAsync(user, CancellationToken.None)));
        return new(
            online, disputed.Select(found => found.Lease).OfType<Lease>().ToDictionary(lease => lease.User));
    }

    /// <summary>They took the lease from a node that had to prove that the user is there.</summary>
    private async Task<(int Answered, Lease? Lease)> AskMembersAsync(string user, CancellationToken cancellation)
    {
        var place = await sets.PlaceAsync(SetKey.Mailbox(user), cancellation);
        return await AskAsync(place.Members, user, ofItself: false, cancellation);
    }

    /// <summary>Once a majority has answered and some know the user, nobody else is waited for: one of them may be
    /// gone.</summary>
    /// <param name="ofItself">What a node says of another one does not count.</param>
    private async Task<(int Answered, Lease? Lease)> AskAsync(
        IReadOnlyList<Peer> asked, string user, bool ofItself, CancellationToken cancellation)
    {
        var (answered, best) = (0, (Lease?)null);
        await foreach (var answer in Task.WhenEach(asked.Select(AskOneAsync)))
        {
            var (peer, said) = await answer;
            if (said is not { } found)
                continue;
            answered++;
            if (found.Lease is { } lease && lease.User == user && !(ofItself && lease.Node != peer.Node)
                && (best is null || IsNewer(lease, best)))
                best = lease;
            if (best is not null && answered > asked.Count / 2)
                break;
        }

        return (answered, best);

        async Task<(Peer, LeaseFound?)> AskOneAsync(Peer peer) =>
            (peer, await peers.FindLeaseAsync(peer, user, cancellation));
    }

    private static bool IsNewer(Lease lease, Lease other) =>
        lease.Session > other.Session || (lease.Session == other.Session && lease.SinceMs > other.SinceMs);

    private sealed record Listing(OnlineLists Online, IReadOnlyDictionary<string, Lease> Settled);
}
