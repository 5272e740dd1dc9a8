using System.Collections.Immutable;
using System.Numerics;

namespace ChordChat.Core.Ring;

/// <summary>Which records ride on a probe; docs/protocol.md, "Ring: gossip".</summary>
internal static class Gossip
{
    /// <summary>How often a change is told on: 3 * ceil(log2(N + 1)).</summary>
    public static int RepeatsMax(int count) => 3 * (BitOperations.Log2((uint)Math.Max(count, 1)) + 1);

    /// <summary>The least told records, and what <paramref name="to"/> must know of itself to answer a
    /// suspicion or what it never said.</summary>
    public static (MembershipState, ImmutableArray<Member>) Pick(MembershipState s, NodeId to)
    {
        var told = s.Rumours.OrderBy(rumour => rumour.Value).Take(s.Options.GossipMax).ToList();
        var picked = ImmutableArray.CreateBuilder<Member>();
        if (s.Members[to] is { WasHeard: true } itself
            && (itself.Health is not Health.Alive || (itself.Spoken > 0 && itself.Incarnation > itself.Spoken)))
            picked.Add(itself);
        var limit = RepeatsMax(s.Members.Count);
        var rumours = s.Rumours;
        foreach (var (node, count) in told)
        {
            if (s.Members[node] is { WasHeard: true } member && !picked.Contains(member))
                picked.Add(member);
            rumours = count + 1 < limit ? rumours.SetItem(node, count + 1) : rumours.Remove(node);
        }

        return (s with { Rumours = rumours }, picked.ToImmutable());
    }

    /// <summary>The whole cache, for a member that starts or that believes something else.</summary>
    public static ImmutableArray<Member> Everything(MembershipState s) =>
        [.. s.Members.All.Where(member => member.WasHeard)];

    /// <summary>A record that changed is told on from the start.</summary>
    public static MembershipState Tell(MembershipState s, NodeId about) =>
        s with { Rumours = s.Rumours.SetItem(about, 0) };
}
