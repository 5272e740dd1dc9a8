using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>What the chat says to other nodes. The answering side is <see cref="PeerRequests"/>.</summary>
/// <remarks>
/// Implemented over the link between nodes and, in tests, by memory. Never called for this node itself. A call ends
/// within about a second: a node that does not answer is a null or <see cref="DeliverOutcome.Unreachable"/>, never an
/// exception; only cancellation throws. Calls to one node keep their order.
/// </remarks>
internal interface IPeerChat
{
    /// <summary>Every node that this one believes reachable, itself included.</summary>
    IReadOnlyList<Peer> Peers { get; }

    /// <summary>Renews or ends leases at a member of the mailboxes' tiles: one answer each, in their order.</summary>
    Task<IReadOnlyList<LeaseAnswer>?> RenewAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation);

    Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation);

    /// <summary>Asks for the hello by which that node let the user in whose session is there.</summary>
    Task<HelloFound?> FindHelloAsync(Peer peer, string user, CancellationToken cancellation);

    /// <summary>Hands a message to the session at that node.</summary>
    /// <remarks>The hot path: does not wait for the answer to the one before, and may gather several into a frame.
    /// <paramref name="message"/>'s bytes do not change until the task has ended.</remarks>
    Task<DeliverOutcome> DeliverAsync(Peer node, LiveMessage message, CancellationToken cancellation);

    /// <summary>Ends a session because the device that signed <paramref name="ending"/>'s entry took over.</summary>
    /// <returns>Whether the node answered.</returns>
    Task<bool> EndSessionAsync(Peer node, SessionEnding ending, CancellationToken cancellation);

    /// <summary>Counts a guess of a password at the owner of the account's tile.</summary>
    /// <returns>How long to wait before it may be made; zero when it has been counted.</returns>
    Task<TimeSpan?> CountGuessAsync(Peer peer, Guess guess, CancellationToken cancellation);

    /// <summary>The sessions that are connected to that node.</summary>
    Task<IReadOnlyList<Lease>?> ListSessionsAsync(Peer peer, int max, CancellationToken cancellation);
}

/// <param name="Ends">The session is over: forget it now instead of in 15 s.</param>
internal readonly record struct LeaseRenewal(Lease Lease, bool Ends);

/// <param name="Current">The lease that counts; another session's when the renewed one is superseded.</param>
/// <param name="PendingCount">Messages that wait in the mailbox at that member; 0 also when it cannot tell.</param>
/// <param name="IsUnproven">It was not renewed: that member does not believe that the session is here.</param>
internal readonly record struct LeaseAnswer(Lease Current, int PendingCount, bool IsUnproven = false);

/// <summary>A node's answer: the lease, or that it knows of none.</summary>
internal sealed record LeaseFound(Lease? Lease);

/// <summary>A node's answer: the hello, not checked, or that no session of the user is there.</summary>
internal sealed record HelloFound(KeptHello? Hello);

/// <param name="From">The user who sends it.</param>
internal readonly record struct LiveMessage(
    string User, ulong Session, MessageId Id, ReadOnlyMemory<byte> Envelope, string From);

/// <param name="Entry">The signed key-log entry of the new device; the client checks it itself.</param>
internal sealed record SessionEnding(string User, ulong Session, ReadOnlyMemory<byte> Entry);

internal enum DeliverOutcome
{
    /// <summary>In the outgoing queue of the recipient's session.</summary>
    Delivered,

    /// <summary>That session is not at this node (any more).</summary>
    NotHere,

    /// <summary>The client does not read fast enough; it gets the message from its mailbox later.</summary>
    TooSlow,
    Unreachable,
}

/// <param name="Place">The address block that it comes from.</param>
internal readonly record struct Guess(string User, string Place, GuessStep Step);

internal enum GuessStep
{
    Try,
    Succeeded,

    /// <summary>It was right, as far as too few copies can tell.</summary>
    Forgiven,
}
