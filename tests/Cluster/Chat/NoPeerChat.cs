using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>Peers that may be asked nothing but what a test overrides.</summary>
internal abstract class NoPeerChat : IPeerChat
{
    public abstract IReadOnlyList<Peer> Peers { get; }

    public virtual Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation) =>
        throw new NotSupportedException();

    public virtual Task<IReadOnlyList<Lease>?> ListSessionsAsync(
        Peer peer, int max, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<IReadOnlyList<LeaseAnswer>?> RenewAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation) =>
        throw new NotSupportedException();

    public Task<HelloFound?> FindHelloAsync(Peer peer, string user, CancellationToken cancellation) =>
        throw new NotSupportedException();

    public Task<DeliverOutcome> DeliverAsync(Peer node, LiveMessage message, CancellationToken cancellation) =>
        throw new NotSupportedException();

    public Task<bool> EndSessionAsync(Peer node, SessionEnding ending, CancellationToken cancellation) =>
        throw new NotSupportedException();

    public Task<TimeSpan?> CountGuessAsync(Peer peer, Guess guess, CancellationToken cancellation) =>
        throw new NotSupportedException();
}
