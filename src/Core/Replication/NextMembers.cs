using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Whether a node lets a tile go over to other members, as it knows the ring.</summary>
/// <remarks>docs/protocol.md#next-members. One member that lies must not give a tile to itself, to so many that no
/// steward changes them any more, to nodes that it made up, or to those that are gone.</remarks>
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
