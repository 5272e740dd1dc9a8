using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>The link between nodes of one process: calls the other side's <see cref="PeerRequests"/>.</summary>
internal sealed class MemoryPeers(IReadOnlyList<Peer> peers) : IPeerChat
{
    private readonly Dictionary<Peer, PeerRequests> _nodes = [];

    /// <summary>Nodes that do not answer.</summary>
    public HashSet<Peer> Unreachable { get; } = [];

    public IReadOnlyList<Peer> Peers => peers;

    public void Add(Peer peer, PeerRequests requests) => _nodes[peer] = requests;

    /// <summary>What a lying member answers to a renewal in place of the truth; null for the truth.</summary>
    public Func<Peer, Lease, Lease?> Lie { get; set; } = (_, _) => null;

    /// <summary>Sessions that a lying node says are there; null for the truth.</summary>
    public Func<Peer, IReadOnlyList<Lease>?> Made { get; set; } = _ => null;

    public Task<IReadOnlyList<LeaseAnswer>?> RenewAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<LeaseAnswer>?>(Find(peer) is { } node
            ? [.. node.Renew(renewals).Select(answer => Lie(peer, answer.Current) is { } lie
                ? answer with { Current = lie }
                : answer)]
            : null);

    public Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation) =>
        Task.FromResult(Find(peer)?.FindLease(user));

    public Task<HelloFound?> FindHelloAsync(Peer peer, string user, CancellationToken cancellation) =>
        Task.FromResult(Find(peer)?.FindHello(user));

    public Task<DeliverOutcome> DeliverAsync(Peer node, LiveMessage message, CancellationToken cancellation) =>
        Task.FromResult(Find(node)?.Deliver(message) ?? DeliverOutcome.Unreachable);

    /// <summary>How many more messages about the end of a session are lost.</summary>
    public int LostEndings { get; set; }

    public Task<bool> EndSessionAsync(Peer node, SessionEnding ending, CancellationToken cancellation)
    {
        if (LostEndings-- > 0)
            return Task.FromResult(false);
        Find(node)?.EndSession(ending);
        return Task.FromResult(Find(node) is not null);
    }

    public Task<TimeSpan?> CountGuessAsync(Peer peer, Guess guess, CancellationToken cancellation) =>
        Task.FromResult(Find(peer)?.CountGuess(guess));

    public Task<IReadOnlyList<Lease>?> ListSessionsAsync(Peer peer, int max, CancellationToken cancellation) =>
        Task.FromResult(Made(peer) ?? Find(peer)?.ListSessions(max));

    private PeerRequests? Find(Peer peer) => Unreachable.Contains(peer) ? null : _nodes.GetValueOrDefault(peer);
}
