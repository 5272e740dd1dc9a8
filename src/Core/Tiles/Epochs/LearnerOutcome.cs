namespace ChordChat.Core.Tiles.Epochs;

/// <summary>How learning ended.</summary>
public abstract record LearnerOutcome
{
    private LearnerOutcome() { }

    /// <summary>The replica answers for the epoch.</summary>
    public sealed record Activated : LearnerOutcome;

    /// <summary>A newer epoch is decided.</summary>
    public sealed record Superseded : LearnerOutcome;

    /// <summary>Too few sources answered, or the own replica stumbled; try again later.</summary>
    public sealed record Stalled : LearnerOutcome;

    /// <summary>What the own replica's last word means.</summary>
    internal static LearnerOutcome After(ReplicaReply reply) => reply switch
    {
        ReplicaReply.Done => new Activated(),
        ReplicaReply.TooMany => new Stalled(),
        _ => new Superseded(),
    };
}
