using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Whether a node lets other members take over a tile, or lets it be cut, judged by what the node knows of the
/// ring.</summary>
/// <remarks>docs/protocol.md#next-members. A lying member must not be able to give a tile to itself, to more nodes than
/// a steward would still change, to nodes that it made up, or to nodes that are gone; nor to cut it without end.
/// </remarks>
/// <param name="now">The time, on the clock that the records of the ring use.</param>
/// <param name="isLarge">Whether this node's own rows of a tile are so many that others may find it too large.</param>
public sealed class NextMembers(
    Func<MembershipState> ring, Func<TimeSpan> now, CoordinatorOptions options, StewardOptions steward,
    Func<TileId, bool> isLarge)
{
    /// <summary>For so long, a member that is away counts as present: it may be restarting.</summary>
    private static readonly TimeSpan Restart = TimeSpan.FromMinutes(10);

    /// <param name="by">Who proposes them, or says that it has voted for them; null: a wish of this node.</param>
    public bool MayBe(NodeId? by, TileConfiguration current, TileConfiguration next)
    {
        if (!next.Follows(current) || !options.MayFollow(current, next)
            || next.Members.Length > Math.Max(current.Members.Length, options.Copies))
            return false;
        if (next.Tile != current.Tile)
            return MayBeCut(current.Tile);
        var newcomers = next.Members.Where(node => !current.Contains(node)).Select(node => ring().Members[node]);
        return newcomers.All(member => member is { Spoken: > 0, IsAway: false, IsGone: false })
            || (by is { } other && IsNeeded(other, current, next));
    }

    /// <summary>What a node wants decided, to be judged when the replica carries it out.</summary>
    public ReplicaRequest.Decide Judged(NodeId by, ReplicaRequest.Decide wish) =>
        wish with { MayFollow = current => MayBe(by, current, wish.Next) };

    /// <summary>Counts every member that has ever spoken here, and doubles the number: others may know of more than
    /// this node does.</summary>
    private bool MayBeCut(TileId tile) => isLarge(tile) || steward.IsTooWide(
        tile, 2 * ring().Members.All.Count(member => member.Spoken > 0 || !member.WasHeard));

    /// <summary>No majority is left without the one that says so. Then the tile must be able to go on with a vote that
    /// exists, as long as a majority stays. This node may have restarted, so it may not know the newcomers.</summary>
    private bool IsNeeded(NodeId by, TileConfiguration current, TileConfiguration next) =>
        current.Members.Count(node => node != by && !IsLost(node)) < current.Majority
        && next.Members.Count(current.Contains) >= current.Majority;

    /// <summary>Revoked; or found dead here; or away for <see cref="Restart"/> by its own word or by this node's own
    /// probes, even if others say that it lives; or not heard here for so long since this start.</summary>
    private bool IsLost(NodeId node)
    {
        var (state, member) = (ring(), ring().Members[node]);
        return state.Denied.Contains(node) || member is { IsGone: true, Health: Health.Dead }
            || now() - (member is { Spoken: > 0 } ? member.AwaySince ?? now() : state.StartedAt) >= Restart;
    }
}
