using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>Everything the failure detector and the gossip of one node keep. Immutable.</summary>
public sealed record MembershipState
{
    public required Membership Members { get; init; }

    public required MembershipOptions Options { get; init; }

    /// <summary>When this process began: whoever it hears of in its first quarantine time counts as settled.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>Probes on their way, by number.</summary>
    public ImmutableSortedDictionary<ulong, Probe> Probes { get; init; } =
        ImmutableSortedDictionary<ulong, Probe>.Empty;

    public ulong NextProbe { get; init; } = 1;

    /// <summary>How often each record that changed was told on.</summary>
    public ImmutableSortedDictionary<NodeId, int> Rumours { get; init; } = ImmutableSortedDictionary<NodeId, int>.Empty;

    /// <summary>The members still to be probed in this round, in random order.</summary>
    public ImmutableList<NodeId> Round { get; init; } = [];

    /// <summary>Nodes whose certificates the operator has revoked: dead, whatever anybody says of them.</summary>
    public ImmutableHashSet<NodeId> Denied { get; init; } = [];

    /// <summary>Members probed at once since the last beat, as others doubt them.</summary>
    public int AskedAtOnce { get; init; }

    /// <summary>Whether some member has sent its whole cache since the start.</summary>
    public bool Synced { get; init; }

    public TimeSpan ComparedAt { get; init; }

    /// <summary>When the probe timer last fired.</summary>
    public TimeSpan? BeatAt { get; init; }

    public TimeSpan PassiveAt { get; init; }

    /// <summary>After an own pause nobody is suspected until then.</summary>
    public TimeSpan TrustUntil { get; init; } = TimeSpan.MinValue;

    /// <summary>When the probe interval began in which others last named an incarnation of this node that it never
    /// had.</summary>
    public TimeSpan SeenAheadAt { get; init; } = TimeSpan.MinValue / 2;

    /// <summary>The incarnation that it had then.</summary>
    public ulong SeenAheadFrom { get; init; }

    /// <summary>0 to 7: how often lately this node itself was to blame for a missed answer; lengthens its
    /// timeouts.</summary>
    public int Strain { get; init; }

    /// <summary>The low bits of an incarnation are for what is added while running.</summary>
    public const int StartBits = 24;

    /// <summary>What the ring layer is to know. Before the first whole cache came, nobody counts as reachable: a node
    /// must not take a large ring for a small one.</summary>
    /// <remarks>Made whenever the cache changes, so it walks over it and sorts nothing.</remarks>
    public RingInput.MembersKnown ForRing() => new(Synced ? Members.Live : [], Members.Count, Gone);

    private ImmutableArray<NodeId> Gone => [.. Members.All
        .Where(member => member.WasHeard && member.Health is Health.Dead or Health.Left)
        .Select(member => member.Peer.Node)];

    /// <summary>Who should keep a tile, from what this node has seen so far.</summary>
    /// <remarks>docs/protocol.md#steward: in the first placement time after its start a node knows some members only as
    /// others tell of them, perhaps at a place where they are not. Until each keeper has spoken here, none is passed
    /// over.</remarks>
    /// <param name="keepers">Who keeps it now.</param>
    /// <param name="passedOver">Others who do not get it now.</param>
    public ImmutableArray<NodeId> Preferred(
        RingId start, int count, TimeSpan now, ImmutableArray<NodeId> keepers,
        IReadOnlySet<NodeId>? passedOver = null) =>
        now - StartedAt < Options.SilentDeadAfter && keepers.Any(IsStrange)
            ? keepers
            : [.. Members.Placement(start, count, now, Options.Quarantine, keepers, passedOver)
                .Select(peer => peer.Node)];

    /// <summary>Whether a node has left, or this one has run without hearing of it, for as long as this one waits for
    /// silent members: then it is not just starting again.</summary>
    public bool IsLongGone(NodeId node, TimeSpan now) => Members[node] is { WasHeard: true } member
        ? member.HasLeft && now - member.ChangedAt >= Options.SilentDeadAfter
        : now - StartedAt >= Options.SilentDeadAfter;

    private bool IsStrange(NodeId keeper) => Members[keeper] is not ({ Spoken: > 0 } or { IsReplaceable: true });

    /// <param name="incarnation">Larger than any that this node ever used: see <see cref="FirstIncarnation"/>.</param>
    public static MembershipState Starting(
        Peer self, ulong incarnation, long joinedAtMs, TimeSpan now, MembershipOptions? options = null)
    {
        var settled = now - TimeSpan.FromDays(1);
        var own = new Member(self, incarnation, Health.Alive, joinedAtMs)
        {
            KnownSince = settled,
            ChangedAt = now,
            Spoken = incarnation,
        };
        return new()
        {
            Members = Membership.Of(own),
            Options = options ?? MembershipOptions.Lan,
            StartedAt = now,
            Rumours = ImmutableSortedDictionary<NodeId, int>.Empty.Add(self.Node, 0),
        };
    }

    /// <summary>The incarnation to start with, from a counter of starts that is on disk before the first
    /// message.</summary>
    /// <remarks>Only starts need the disk: see <see cref="StartBits"/>.</remarks>
    public static ulong FirstIncarnation(ulong starts) => checked(starts << StartBits);
}

/// <summary>A probe on its way.</summary>
/// <param name="Until">When nothing is awaited any more: its result was lost in this process.</param>
/// <param name="HelpersAwaited">0 while the direct answer is awaited.</param>
/// <param name="Reached">Helpers that got an answer.</param>
/// <param name="Silent">Helpers that got none.</param>
/// <param name="Refused">Whether the target's machine said that nobody listens there.</param>
public sealed record Probe(
    Peer Target,
    TimeSpan Until,
    int HelpersAwaited = 0,
    int Reached = 0,
    int Silent = 0,
    bool WantsAll = false,
    bool Refused = false)
{
    /// <summary>A second one found the target silent.</summary>
    public bool Confirmed => Silent > 0;

    /// <summary>At least as many got an answer as can have got none. This node's own miss is one voice, and two if the
    /// target's machine refused the connection.</summary>
    public bool IsAnswered => Reached >= (Refused ? 2 : 1) + Silent + HelpersAwaited;
}
