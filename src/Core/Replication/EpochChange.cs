using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Ends a tile's epoch and decides who the members of the next one are.</summary>
/// <remarks>
/// docs/protocol.md#epoch-change. Single-decree Paxos among the members of the epoch that ends; sealing is its first
/// phase. Any number of nodes may run it for the same tile: all of them decide the same configuration.
/// </remarks>
public sealed class EpochChange(
    TileConfiguration configuration,
    ImmutableArray<NodeId> wanted,
    BallotSource ballots,
    CoordinatorOptions options,
    ulong seed) : QuorumCoordinator<EpochChangeOutcome>(configuration, options, seed)
{
    private ImmutableArray<(TileConfiguration Next, TileConfiguration? Previous)> _news = [];
    private Ballot _ballot;
    private Ballot _highest;
    private Ballot _bestVote;
    private TileConfiguration? _next;
    private bool _deciding;

    /// <summary>Whether the tile is wanted cut in two, with the same members. docs/protocol.md#tile-split</summary>
    public bool Cuts { get; init; }

    /// <summary>What is decided, each with the configuration before it; two when the tile was cut.</summary>
    public IReadOnlyList<(TileConfiguration Next, TileConfiguration? Previous)> News => _news;

    private protected override void Begin()
    {
        _ballot = ballots.Next(Configuration.Epoch, _highest);
        (_bestVote, _next, _deciding) = (default, null, false);
        Ask(new ReplicaRequest.Seal(Configuration.At, _ballot));
    }

    private protected override Vote Judge(int member, ReplicaReply reply)
    {
        if (reply is ReplicaReply.Nack nack)
            _highest = Ballot.Max(_highest, nack.Highest);
        if (_deciding)
            return reply is ReplicaReply.Accepted ? Vote.For : Vote.Against;
        if (reply is not ReplicaReply.SealGranted granted
            || granted.Vote is { } vote && !vote.Follows(Configuration.At))
            return Vote.Against;
        if (granted.Vote is not null && (_next is null || granted.AcceptedBallot > _bestVote))
            (_bestVote, _next) = (granted.AcceptedBallot, granted.Vote);
        return Vote.For;
    }

    private protected override void OnMajority()
    {
        if (_deciding)
        {
            Announce([.. Configuration.Successors(_next!)]);
            State(new EpochChangeOutcome.Decided(_next!));
            return;
        }

        _deciding = true;
        _next ??= Cuts ? Configuration.Halves()[0].Next(Configuration.Members) : Configuration.Next(wanted);
        Ask(new ReplicaRequest.Decide(Configuration.At, _ballot, _next));
    }

    /// <summary>The epoch has ended already, by somebody else's hand; a change is wanted of this epoch only.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        Announce([(newest, previous)]);
        State(new EpochChangeOutcome.Superseded(newest));
    }

    private protected override void GiveUp() => State(new EpochChangeOutcome.Unavailable(Reached, Majority));

    /// <summary>Tells everybody once; whoever misses it hears it from a member's <see cref="Announcement"/>.</summary>
    private void Announce(ImmutableArray<(TileConfiguration Next, TileConfiguration? Previous)> news)
    {
        _news = news;
        foreach (var (next, previous) in news)
        {
            var told = new ReplicaRequest.NewConfiguration(next, previous);
            foreach (var node in next.Members.Union(Configuration.Members).Append(ballots.Self).Distinct())
                Send(node, told);
        }
    }
}

/// <summary>How a change of epoch ended.</summary>
public abstract record EpochChangeOutcome
{
    private EpochChangeOutcome() { }

    /// <summary>This is the next configuration; not always the wanted one. That of the first half stands for
    /// both.</summary>
    public sealed record Decided(TileConfiguration Next) : EpochChangeOutcome;

    /// <summary>The epoch had ended before.</summary>
    public sealed record Superseded(TileConfiguration Newest) : EpochChangeOutcome;

    /// <summary>No majority answered; some members may be sealed until somebody takes over.</summary>
    public sealed record Unavailable(int Reached, int Needed) : EpochChangeOutcome;
}
