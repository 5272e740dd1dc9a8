using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>What one replica holds of a tile's configuration. Durable before any reply that follows from it.</summary>
/// <param name="Configuration">The one this replica belongs to; when retired, the newest known: a pointer.</param>
/// <param name="NextPromised">Highest ballot heard for the decision of the next configuration.</param>
/// <param name="NextAcceptedBallot">Ballot of <paramref name="NextAccepted"/>.</param>
/// <param name="NextAccepted">What this replica voted for as the next configuration; perhaps never decided.</param>
/// <param name="Pending">The decided next configuration, while this replica is still sealed in the old one.</param>
/// <param name="Previous">The configuration before, until every member is known to have left it behind. Of a
/// configuration that an order began (also a pending one): the survivors.</param>
public sealed record TileHeader(
    TileConfiguration Configuration,
    TilePhase Phase,
    Ballot NextPromised = default,
    Ballot NextAcceptedBallot = default,
    TileConfiguration? NextAccepted = null,
    TileConfiguration? Pending = null,
    TileConfiguration? Previous = null)
{
    public TileId Tile => Configuration.Tile;

    /// <summary>The newest decided configuration that this replica knows of.</summary>
    public TileConfiguration Newest => Pending ?? Configuration;

    /// <summary>The configuration before <see cref="Newest"/>, if known.</summary>
    public TileConfiguration? BeforeNewest =>
        Pending is null || Pending.Generation > Configuration.Generation ? Previous : Configuration;

    /// <summary>What this replica voted for as the one after <see cref="Newest"/>.</summary>
    public TileConfiguration? Vote => Pending is null && NextAccepted?.Follows(Configuration) == true
        ? NextAccepted : null;

    /// <summary>Whether this copy is complete in that epoch and does not know yet how the epoch ends.</summary>
    public bool MayVote(TileEpoch at) =>
        Phase is TilePhase.Active or TilePhase.Sealed && Pending is null && Configuration.At == at;

    /// <summary>Whether a node has to do with the tile now: of its epoch, the next, or the one before.</summary>
    public bool IsAround(NodeId node) => Configuration.Contains(node) || Pending?.Contains(node) == true
        || NextAccepted?.Contains(node) == true || Previous?.Contains(node) == true;

    /// <summary>Whether a node may end that epoch: a member of the present configuration or of the one that is to
    /// follow. About any other epoch, members around the tile may ask; they only hear what is known here.
    /// docs/protocol.md#what-a-member-may-ask</summary>
    public bool MayChange(NodeId node, TileEpoch at) => at != Configuration.At
        ? IsAround(node)
        : Configuration.Contains(node) || Pending?.Contains(node) == true || NextAccepted?.Contains(node) == true;

    /// <summary>The honest answer to a request that this replica does not execute.</summary>
    internal ReplicaReply WhyNot(TileEpoch at)
    {
        if (at.Generation < Newest.Generation || (at.Generation == Newest.Generation && at.Epoch < Newest.Epoch))
            return new ReplicaReply.Stale(Newest, BeforeNewest);
        if (Configuration.At != at || Phase is TilePhase.Learning or TilePhase.Damaged or TilePhase.Away)
            return new ReplicaReply.Behind(Configuration);
        return Phase == TilePhase.Sealed ? Replies.Sealed : Replies.WrongTile;
    }

    /// <summary>What is known here to have been decided at the end of an epoch, as a vote would name it; null when
    /// nothing is.</summary>
    internal TileConfiguration? DecidedAt(TileEpoch end)
    {
        var next = Newest;
        if (next.Tile.Bits == end.Tile.Bits + 1 && end.Tile.Contains(next.Tile))
            next = next with { Tile = end.Tile.First };
        return next.Follows(end) ? next : null;
    }
}

/// <summary>What a replica may do for a tile.</summary>
public enum TilePhase
{
    /// <summary>Nothing: it never had to do with the tile.</summary>
    None = 0,

    /// <summary>It collects the state of the epoch before and votes for nothing.</summary>
    Learning = 1,

    /// <summary>It answers for its epoch.</summary>
    Active = 2,

    /// <summary>It answers for its epoch never again; it keeps the rows for those who learn.</summary>
    Sealed = 3,

    /// <summary>It has left, holds no rows and points to the newest configuration it knows.</summary>
    Retired = 4,

    /// <summary>A row was found damaged: it answers nothing, votes for nothing and is no source, until a newer epoch
    /// takes it in as a learner or leaves it out.</summary>
    Damaged = 5,

    /// <summary>Was active and away past the age of tombstones: it answers nothing until it knows whether the others
    /// have gone on.</summary>
    Away = 6,
}
