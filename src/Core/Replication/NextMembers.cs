using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Whether a node, from what it knows of the ring, lets other members take over a tile.</summary>
/// <remarks>docs/protocol.md#next-members. A lying member must not be able to give a tile to itself, to more nodes than
/// a steward would still change, to nodes that it made up, or to nodes that are gone.</remarks>
public static class NextMembers
{
    /// <param name="by">Who proposes them, or says that it has voted for them.</param>
    public static bool MayBe(
        Membership ring, CoordinatorOptions options, NodeId by, TileConfiguration current, TileConfiguration next)
    {
        if (!options.MayFollow(current, next)
            || next.Members.Length > Math.Max(current.Members.Length, options.Copies))
            return false;
        return next.Members.All(node => current.Contains(node) || ring[node] is { Spoken: > 0, IsOnRecord: true })
            || IsNeeded(ring, by, current, next);
    }

    /// <summary>Without the one that says so no majority is left, and one must be able to go on with what is voted for
    /// already, as long as a majority stays.</summary>
    private static bool IsNeeded(Membership ring, NodeId by, TileConfiguration current, TileConfiguration next) =>
        current.Members.Count(node => node != by && ring[node] is not { IsGone: true }) < current.Majority
        && next.Members.Count(current.Contains) >= current.Majority;
}
