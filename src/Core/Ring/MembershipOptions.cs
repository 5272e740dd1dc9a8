namespace ChordChat.Core.Ring;

/// <summary>How soon a silent member is doubted, and how soon its tiles are given to others.</summary>
public sealed record MembershipOptions
{
    /// <summary>For one site: doubted after about a second, replaced after 15 s when its process is gone, after 45 s
    /// when it is only silent.</summary>
    public static readonly MembershipOptions Lan = new();

    /// <summary>For members far apart: doubted after some seconds, replaced after two minutes.</summary>
    public static readonly MembershipOptions Wan = new()
    {
        ProbeTimeout = TimeSpan.FromSeconds(2),
        DeadAfter = TimeSpan.FromSeconds(120),
        SilentDeadAfter = TimeSpan.FromSeconds(120),
        Quarantine = TimeSpan.FromSeconds(60),
    };

    /// <summary>How often the host says ProbeDue: a dead neighbour is noticed that much later.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long to wait for a direct answer; an indirect probe gets twice as long.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How long a member that refuses connections stays Suspect before it is Dead for placement. Longer moves
    /// less data for nothing.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The same for a member that is silent: stopped, cut off, or its machine is gone. Longer than most
    /// pauses.</summary>
    public TimeSpan SilentDeadAfter { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>A timer that is this much late tells that the process was paused.</summary>
    public TimeSpan PauseMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a newcomer is routed to without being given tiles.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the whole cache is compared with that of a random member.</summary>
    public TimeSpan CompareInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often one dead member is probed, so that a healed partition is noticed.</summary>
    public TimeSpan PassiveInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long dead and departed members are remembered.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many others are asked to probe for us before a member is suspected.</summary>
    public int HelperCount { get; init; } = 3;

    /// <summary>At most this many records ride on one probe.</summary>
    public int GossipMax { get; init; } = 16;

    /// <summary>More members than this are not taken into the cache.</summary>
    public int MembersMax { get; init; } = 4096;

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (ProbeInterval <= TimeSpan.Zero)
            yield return $"{nameof(ProbeInterval)} is {ProbeInterval}; it must be positive.";
        if (ProbeTimeout <= TimeSpan.Zero)
            yield return $"{nameof(ProbeTimeout)} is {ProbeTimeout}; it must be positive.";
        if (DeadAfter < ProbeInterval * 2)
            yield return $"{nameof(DeadAfter)} is {DeadAfter}; a single lost probe would move tiles.";
        if (SilentDeadAfter < DeadAfter)
            yield return $"{nameof(SilentDeadAfter)} is {SilentDeadAfter}; it must not be below {nameof(DeadAfter)}.";
        if (GossipMax < 1 || MembersMax < 1 || HelperCount < 0)
            yield return "GossipMax and MembersMax must be at least 1, HelperCount at least 0.";
    }
}
