namespace ChordChat.Core.Ring;

/// <summary>What is believed of a member, worse downwards: within one incarnation the worse one wins.</summary>
public enum Health
{
    Alive,

    /// <summary>Did not answer, neither this node nor those it asked; routed around, keeps its tiles.</summary>
    Suspect,

    /// <summary>Says that it is about to go; still answers.</summary>
    Leaving,

    /// <summary>Suspect for so long that its tiles are given to others.</summary>
    Dead,

    /// <summary>Went away on purpose.</summary>
    Left,
}

/// <summary>A member as the membership cache knows it.</summary>
/// <param name="Incarnation">Grows at each start and whenever the member answers a suspicion; 0: on record in the
/// genesis, never heard.</param>
/// <param name="JoinedAtMs">What the member says of itself, Unix milliseconds; for people only.</param>
public sealed record Member(Peer Peer, ulong Incarnation, Health Health, long JoinedAtMs)
{
    /// <summary>This node's time when it first heard of the member; not sent to others.</summary>
    public TimeSpan KnownSince { get; init; }

    /// <summary>This node's time when <see cref="Health"/> last changed; not sent to others.</summary>
    public TimeSpan ChangedAt { get; init; }

    /// <summary>Whether a second member saw it unreachable, or says so; not sent to others.</summary>
    public bool Confirmed { get; init; }

    /// <summary>Whether its machine says that nobody listens at its address: the process is gone, not merely silent.
    /// Not sent to others.</summary>
    public bool Refuses { get; init; }

    /// <summary>This node's time when its own probe found it silent, and those that it asked found it so too; null:
    /// not so since this incarnation, or it has said something here since. Not sent to others.</summary>
    public TimeSpan? MissedAt { get; init; }

    /// <summary>Whether its tiles may be given to others: it has said here itself that it goes, or this node has found
    /// it silent for the placement time. What others say is never enough. Not sent to others.</summary>
    public bool IsReplaceable { get; init; }

    /// <summary>It has said here itself that it has left, or this node's own probe has found it silent, and it has not
    /// spoken here since. What others say does not count. Not sent to others.</summary>
    public bool IsAway => AwaySince is not null;

    /// <summary>Since when it <see cref="IsAway"/>, by this node's time. Not sent to others.</summary>
    public TimeSpan? AwaySince { get; init; }

    /// <summary>The incarnation that it last named to this node itself, over a connection that proved who it was and
    /// where on the circle it stands; 0: none yet. Not sent to others.</summary>
    public ulong Spoken { get; init; }

    /// <summary>Its name if its own certificate has shown it here, else the first digits of its id: what others say it
    /// is called may be made up.</summary>
    public string ProvenName => Spoken > 0 ? Peer.Name : Peer.Node.ShortForm;

    public bool WasHeard => Incarnation > 0;

    /// <summary>Answers as far as known.</summary>
    public bool IsReachable => WasHeard
        && (Health is Health.Alive || (Health is Health.Leaving && MissedAt is null));

    /// <summary>Counts for N: not dead, not gone; founders count before they are heard.</summary>
    public bool IsOnRecord => !WasHeard || Health is Health.Alive or Health.Suspect or Health.Leaving;

    /// <summary>Its tiles are to be moved as soon as can be; docs/protocol.md#steward.</summary>
    public bool IsUnwanted => WasHeard && IsReplaceable
        && (Health is Health.Leaving || (Health is Health.Dead && Confirmed));

    /// <summary>Went away, and not only as others say.</summary>
    public bool HasLeft => Health is Health.Left && IsReplaceable;

    /// <summary>Dead or gone by its own word or by this node's own probes, or denied; never by what others say.
    /// </summary>
    public bool IsGone => WasHeard && IsReplaceable && Health is (Health.Dead or Health.Left);

    /// <summary>Others doubt it, and this node has not asked it yet.</summary>
    internal bool IsUnasked => WasHeard && Health is not Health.Alive && !IsReplaceable && MissedAt is null;

    /// <summary>Whether what <paramref name="other"/> says is newer: the larger incarnation, then the worse
    /// health.</summary>
    public bool IsOutdatedBy(Member other) => other.Incarnation != Incarnation
        ? other.Incarnation > Incarnation
        : other.Health > Health;
}
