using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>Where a node stands with the ring. It says nothing about the data it keeps.</summary>
public enum RingPhase
{
    /// <summary>Looking for its place; answers nobody.</summary>
    Joining,

    /// <summary>In the ring.</summary>
    Member,

    /// <summary>Was in the ring and lost its last live successor; looks for a way back.</summary>
    Isolated,

    /// <summary>Went away on purpose.</summary>
    Left,
}

/// <summary>Everything a node believes about its neighbourhood: an immutable snapshot, safe to read anywhere.</summary>
/// <remarks>docs/protocol.md, "Ring: state". Do not compare whole states with ==: arrays compare by
/// reference.</remarks>
public sealed record RingState
{
    public required Peer Self { get; init; }

    public RingOptions Options { get; init; } = new();

    public RingPhase Phase { get; init; } = RingPhase.Joining;

    public Peer? Predecessor { get; init; }

    /// <summary>The next nodes clockwise, nearest first, at most r, never this node, none twice.</summary>
    public ImmutableArray<Peer> Successors { get; init; } = [];

    /// <summary>Grows whenever this state changes or is read by somebody who will act on it: the read-abort
    /// rule.</summary>
    public ulong Version { get; init; }

    /// <summary>The question on its way; there is at most one.</summary>
    public PendingAsk? Pending { get; init; }

    /// <summary>Answers thrown away in a row because somebody read this state meanwhile.</summary>
    public int VoidCount { get; init; }

    /// <summary>A notifier that waits until the predecessor was asked whether it lives.</summary>
    public Peer? Candidate { get; init; }

    public ulong NextNonce { get; init; } = 1;

    /// <summary>The other members that the membership cache holds for reachable, in no order.</summary>
    public ImmutableArray<Peer> Live { get; init; } = [];

    /// <summary>Members that the membership cache holds for dead or departed, in no order; no list takes them
    /// up.</summary>
    public ImmutableArray<NodeId> Gone { get; init; } = [];

    /// <summary>N: members on record, this node included; 0 while nothing is known.</summary>
    public int MemberCount { get; init; }

    /// <summary>Whether the last round asked a node from the membership cache instead of the successor.</summary>
    public bool AskedCacheLast { get; init; }

    /// <summary>How often this member still tries to find its place anew, after an audit that failed.</summary>
    public int PlaceTriesLeft { get; init; }

    /// <summary>The way gone so far while Joining or Isolated, or while looking for the place anew.</summary>
    public JoinWalk Walk { get; init; } = JoinWalk.Empty;

    /// <summary>Who gave the list with which this node entered its place, until somebody on it has answered.</summary>
    public NodeId? EnteredBehind { get; init; }

    /// <summary>Nobody on the list that this one gave answered. It may lie, so others say where the place is.</summary>
    public NodeId? Misleading { get; init; }

    public Peer? Successor => Successors.IsEmpty ? null : Successors[0];

    /// <summary>Whether the small-ring rule holds: lists are everybody, taken from the membership cache.</summary>
    public bool IsSmall => MemberCount > 0 && MemberCount <= Options.SuccessorCount + 1;

    /// <summary>A node that has yet to find its place.</summary>
    public static RingState Starting(Peer self, RingOptions? options = null) =>
        new() { Self = self, Options = options ?? new() };
}

/// <summary>Why a node was asked.</summary>
public enum AskKind
{
    /// <summary>Stabilize: the first successor.</summary>
    Successor,

    /// <summary>Stabilize: a node that stands between this one and its first successor.</summary>
    Closer,

    /// <summary>Rectify: whether the predecessor still lives.</summary>
    Predecessor,

    /// <summary>Join: a node on the way to this one's place.</summary>
    Join,
}

/// <summary>A question on its way and the version of the state when it was asked.</summary>
public sealed record PendingAsk(ulong Nonce, AskKind Kind, Peer Target, ulong VersionAtAsk);

/// <summary>What a join has learned: whom it heard of, whom it asked, who is outside the ring too, and whether anybody
/// is inside.</summary>
public sealed record JoinWalk(
    ImmutableArray<Peer> Heard, ImmutableHashSet<NodeId> Asked, ImmutableArray<Peer> Outside, bool MetMember)
{
    public static readonly JoinWalk Empty = new([], [], [], false);
}

/// <summary>What a node tells of its ring state; a node outside the ring tells nothing but that.</summary>
public sealed record RingAnswer(bool Member, Peer? Predecessor, ImmutableArray<Peer> Successors)
{
    public static readonly RingAnswer NotMember = new(false, null, []);
}
