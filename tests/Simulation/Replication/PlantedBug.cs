using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>The mistakes that a checker must find, or its green light means nothing.</summary>
public enum PlantedBug
{
    None = 0,
    NoSealing,
    TransferFromOneMember,
    EpochNotCompared,
    LeaverDeletesAtOnce,
    LearnerVotesEarly,
    ConfigurationWithoutDecision,
    PromiseNotDurable,
    FastReadOfTransferredRows,
}

internal static class Plant
{
    public static ReplicaRules Rules(PlantedBug bug) => bug switch
    {
        PlantedBug.NoSealing => ReplicaRules.Protocol with { SealingStops = false },
        PlantedBug.TransferFromOneMember => ReplicaRules.Protocol with { LearnersAskMajority = false },
        PlantedBug.EpochNotCompared => ReplicaRules.Protocol with { EpochsAreCompared = false },
        PlantedBug.LeaverDeletesAtOnce => ReplicaRules.Protocol with { LeaversKeepRows = false },
        PlantedBug.LearnerVotesEarly => ReplicaRules.Protocol with { LearnersWait = false },
        PlantedBug.FastReadOfTransferredRows => ReplicaRules.Protocol with { FastReadsCompareEpoch = false },
        _ => ReplicaRules.Protocol,
    };
}
