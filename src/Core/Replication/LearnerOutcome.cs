namespace ChordChat.Core.Replication;

/// <summary>How learning ended.</summary>
public abstract record LearnerOutcome
{
    private LearnerOutcome() { }

    /// <summary>The replica answers for the epoch.</summary>
    public sealed record Activated : LearnerOutcome;

    /// <summary>A newer epoch is decided.</summary>
    public sealed record Superseded : LearnerOutcome;

    /// <summary>Too few sources answered; try again later.</summary>
    public sealed record Stalled : LearnerOutcome;
}
