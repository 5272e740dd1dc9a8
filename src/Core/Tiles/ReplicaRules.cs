namespace ChordChat.Core.Tiles;

/// <summary>The rules whose breach loses or forks data. Production has no way to change them.</summary>
/// <remarks>Internal so that the simulator can plant one bug at a time and prove that its checkers see it
/// (docs/protocol.md#planted-bugs). Every member is true in the protocol.</remarks>
internal sealed record ReplicaRules
{
    public static readonly ReplicaRules Protocol = new();

    /// <summary>A sealed replica executes no data operation of its epoch.</summary>
    public bool SealingStops { get; init; } = true;

    /// <summary>A data operation is executed only at exactly its epoch.</summary>
    public bool EpochsAreCompared { get; init; } = true;

    /// <summary>A leaver keeps its rows until a majority of the new members is active.</summary>
    public bool LeaversKeepRows { get; init; } = true;

    /// <summary>A learner votes for nothing before it is complete.</summary>
    public bool LearnersWait { get; init; } = true;

    /// <summary>A learner takes a majority of the sealed members, not any one.</summary>
    public bool LearnersAskMajority { get; init; } = true;

    /// <summary>Nobody becomes a member who does not answer.</summary>
    public bool NewcomersAreAsked { get; init; } = true;

    /// <summary>Members are asked whether the epoch may end before any is sealed.</summary>
    public bool MembersAreAsked { get; init; } = true;

    /// <summary>No new row comes from an add or a repair's page that is too late.</summary>
    public bool LateIsRefused { get; init; } = true;

    /// <summary>Tombstones are forgotten when all members agree, not a majority.</summary>
    public bool ForgettingTakesAll { get; init; } = true;

    /// <summary>A fast read returns only what was accepted in the current epoch.</summary>
    public bool FastReadsCompareEpoch { get; init; } = true;
}
