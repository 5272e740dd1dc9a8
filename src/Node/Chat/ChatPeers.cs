using ChordChat.Core.Chat;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Chat;

/// <summary>All nodes alike: asks this one directly and the others over the link.</summary>
internal sealed class ChatPeers(ChatIdentity identity, IPeerChat link, PeerRequests here)
{
    /// <summary>Clients take no more, and at most 64 KiB, from a node that they do not know yet.</summary>
    public const int NamedMax = 64;

    public IReadOnlyList<Peer> All => link.Peers;

    /// <summary>The nodes to name to a client: this one and others; of too many a random choice.</summary>
    public IReadOnlyList<Peer> ToName()
    {
        if (All is { Count: <= NamedMax } few)
            return few;
        var others = All.Where(peer => !IsHere(peer)).ToArray();
        Random.Shared.Shuffle(others);
        return [identity.Self, .. others.Take(NamedMax - 1)];
    }

    public Peer? Find(NodeId node)
    {
        if (node == identity.Self.Node)
            return identity.Self;
        foreach (var peer in link.Peers)
            if (peer.Node == node)
                return peer;
        return null;
    }

    public Task<IReadOnlyList<LeaseAnswer>?> RenewAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation) => IsHere(peer)
            ? Task.FromResult<IReadOnlyList<LeaseAnswer>?>(here.Renew(renewals))
            : link.RenewAsync(peer, renewals, cancellation);

    public Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation) => IsHere(peer)
        ? Task.FromResult<LeaseFound?>(here.FindLease(user))
        : link.FindLeaseAsync(peer, user, cancellation);

    public Task<HelloFound?> FindHelloAsync(Peer peer, string user, CancellationToken cancellation) => IsHere(peer)
        ? Task.FromResult<HelloFound?>(here.FindHello(user))
        : link.FindHelloAsync(peer, user, cancellation);

    public Task<DeliverOutcome> DeliverAsync(Peer node, LiveMessage message, CancellationToken cancellation) =>
        IsHere(node)
            ? Task.FromResult(here.Deliver(message))
            : link.DeliverAsync(node, message, cancellation);

    public Task<bool> EndSessionAsync(Peer node, SessionEnding ending, CancellationToken cancellation)
    {
        if (!IsHere(node))
            return link.EndSessionAsync(node, ending, cancellation);
        here.EndSession(ending);
        return Task.FromResult(true);
    }

    public Task<TimeSpan?> CountGuessAsync(Peer peer, Guess guess, CancellationToken cancellation) =>
        IsHere(peer)
            ? Task.FromResult<TimeSpan?>(here.CountGuess(guess))
            : link.CountGuessAsync(peer, guess, cancellation);

    public Task<IReadOnlyList<Lease>?> ListSessionsAsync(Peer peer, int max, CancellationToken cancellation) =>
        IsHere(peer)
            ? Task.FromResult<IReadOnlyList<Lease>?>(here.ListSessions(max))
            : link.ListSessionsAsync(peer, max, cancellation);

    private bool IsHere(Peer peer) => peer.Node == identity.Self.Node;
}
