namespace ChordChat.Core.Ring;

/// <summary>The ring layer's numbers.</summary>
public sealed record RingOptions
{
    /// <summary>r: how many successors to know. The ring survives r - 1 neighbouring crashes between two
    /// rounds.</summary>
    public int SuccessorCount { get; init; } = 8;

    /// <summary>How many nodes one attempt to join may ask before it starts again.</summary>
    public int JoinStepsMax { get; init; } = 32;

    /// <summary>Mean time between two stabilize rounds; the host draws each wait from 75 % to 125 % of it.</summary>
    public TimeSpan StabilizeInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Mean time between two fingers refreshed.</summary>
    public TimeSpan FixFingersInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Mean time between two audits of the whole ring.</summary>
    public TimeSpan AuditInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the host waits for an answer before it says AskTimedOut.</summary>
    public TimeSpan AskTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (SuccessorCount < 2)
            yield return $"{nameof(SuccessorCount)} is {SuccessorCount}; one crash would cut the ring below 2.";
        if (JoinStepsMax < 2)
            yield return $"{nameof(JoinStepsMax)} is {JoinStepsMax}; a join asks at least two nodes.";
        foreach (var (name, value) in new[] { (nameof(StabilizeInterval), StabilizeInterval),
            (nameof(FixFingersInterval), FixFingersInterval), (nameof(AskTimeout), AskTimeout),
            (nameof(AuditInterval), AuditInterval) })
            if (value <= TimeSpan.Zero)
                yield return $"{name} is {value}; it must be positive.";
    }
}
