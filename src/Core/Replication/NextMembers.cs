using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Whether a node, from what it knows of the ring, lets other members take over a tile.</summary>
/// <remarks>docs/protocol.md#next-members. A lying member must not be able to give a tile to itself, to more nodes than
/// a steward would still change, to nodes that it made up, or to nodes that are gone.</remarks>
public static class NextMembers
{
    /// <summary>Who has left counts as present for so long: it may be a restart.</summary>
    private static readonly TimeSpan Restart = TimeSpan.FromMinutes(10);

    /// <param name="now">As the records of the ring count it.</param>
    /// <param name="by">Who proposes them, or says that it has voted for them.</param>
    public static bool MayBe(
        Membership ring, TimeSpan now, CoordinatorOptions options, NodeId by, TileConfiguration current,
        TileConfiguration next)
    {
        if (!options.MayFollow(current, next)
            || next.Members.Length > Math.Max(current.Members.Length, options.Copies))
            return false;
        var newcomers = next.Members.Where(node => !current.Contains(node)).Select(node => ring[node]).ToArray();
        return Array.TrueForAll(newcomers, member => member is { Spoken: > 0 })
            && (Array.TrueForAll(newcomers, member => member is { IsAway: false, IsGone: false })
                || IsNeeded(ring, now, by, current, next));
    }

    /// <summary>Without the one that says so no majority is left, and one must be able to go on with what is voted for
    /// already, as long as a majority stays.</summary>
    private static bool IsNeeded(
        Membership ring, TimeSpan now, NodeId by, TileConfiguration current, TileConfiguration next) =>
        current.Members.Count(node => node != by && !IsLost(ring[node], now)) < current.Majority
        && next.Members.Count(current.Contains) >= current.Majority;

    private static bool IsLost(Member? member, TimeSpan now) =>
        member is { IsGone: true } && (member.Health is Health.Dead || now - member.ChangedAt >= Restart);
}
