using System.Collections.Immutable;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>Buries messages at all members; the outcome is known at a majority. Ids not there yet never will
/// be.</summary>
/// <param name="ids">At most <see cref="IdsMax"/>.</param>
/// <remarks>docs/protocol.md#set.</remarks>
public sealed class SetAcknowledge(
    TileConfiguration configuration, string set, ImmutableArray<MessageId> ids, CoordinatorOptions options, ulong seed)
    : QuorumCoordinator<SetAcknowledgeOutcome>(configuration, options, seed)
{
    /// <summary>Messages that one call may bury: all in one transaction, and nobody else's call is carried out
    /// meanwhile.</summary>
    public const int IdsMax = 1_024;

    private int _lateRounds;

    private protected override void Begin() => Ask(new ReplicaRequest.Acknowledge(Configuration.At, set, ids));

    private protected override Vote Judge(int member, ReplicaReply reply) =>
        reply is ReplicaReply.Acknowledged ? Vote.For : Vote.Against;

    private protected override void OnMajority() =>
        State(new SetAcknowledgeOutcome.Stored(), done: For.Count == Configuration.Members.Length);

    private protected override void OnLate() => IsDone = For.Count == Configuration.Members.Length;

    private protected override void OnLateTimer()
    {
        if (++_lateRounds < Options.LateRoundsMax)
            AskMissing();
        else
            IsDone = true;
    }

    private protected override void GiveUp() => State(new SetAcknowledgeOutcome.Unknown());
}

/// <summary>What became of an acknowledgement.</summary>
public abstract record SetAcknowledgeOutcome
{
    private SetAcknowledgeOutcome() { }

    /// <summary>The tombstones are on disk at a majority.</summary>
    public sealed record Stored : SetAcknowledgeOutcome;

    /// <summary>Perhaps at some; retry.</summary>
    public sealed record Unknown : SetAcknowledgeOutcome;
}
