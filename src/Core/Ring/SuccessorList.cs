using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>How successor lists are put together; docs/protocol.md, "Ring: successor lists".</summary>
internal static class SuccessorList
{
    /// <summary>The list of a node that heard <paramref name="head"/> and its list: both, cut at r and at
    /// itself.</summary>
    /// <remarks>
    /// When that is short and did not come round to this node, entries of the old list that stand beyond it fill it up:
    /// they skip nobody whom the old list did not skip.
    /// </remarks>
    public static ImmutableArray<Peer> Following(RingState s, Peer head, ImmutableArray<Peer> list)
    {
        var circle = list.Contains(s.Self);
        var merged = Cut(s.Self, [head, .. list], s.Options.SuccessorCount);
        if (circle || merged.Length == s.Options.SuccessorCount)
            return merged;
        var last = merged[^1].Position;
        var beyond = s.Successors.Where(old =>
            RingId.Between(last, old.Position, s.Self.Position) && !merged.Contains(old));
        return [.. merged.Concat(beyond).Take(s.Options.SuccessorCount)];
    }

    /// <summary>Entries until r are taken, this node is met, the order breaks, or somebody comes twice.</summary>
    public static ImmutableArray<Peer> Cut(Peer self, ImmutableArray<Peer> list, int max)
    {
        var taken = ImmutableArray.CreateBuilder<Peer>(max);
        foreach (var peer in list)
        {
            if (taken.Count == max || peer == self)
                break;
            var after = taken.Count == 0 ? self.Position : taken[^1].Position;
            if (!RingId.Between(after, peer.Position, self.Position) || taken.Contains(peer))
                break;
            taken.Add(peer);
        }

        return taken.ToImmutable();
    }
}
