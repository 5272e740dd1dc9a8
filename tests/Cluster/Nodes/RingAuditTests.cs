using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md, "Ring: audit": the token's way over real nodes.</summary>
public sealed class RingAuditTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_first_node_hears_from_its_token_how_many_nodes_stand_in_the_ring()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var first = cluster.Names.MinBy(name => cluster[name].Node.Self.Position)!;

        await Condition.UntilAsync("the token comes back", Patience, () => Task.FromResult(
            Auditor(cluster, first).Last is { Fault: null, Count: 3 }));
    }

    [Fact]
    public async Task What_a_failed_audit_says_comes_to_every_node_once()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await Condition.UntilAsync("all nodes stand in the ring", Patience, () => Task.FromResult(
            cluster.Names.All(name => IsInRing(cluster, name))));
        var origin = cluster["n1"].Node.Self;

        Auditor(cluster, "n2").Hear(new AuditNews.Failed(origin, 7));

        // n2 tells its successors, which tell theirs.
        await Condition.UntilAsync("all nodes show it", Patience, () => Task.FromResult(
            cluster.Names.All(name => Failures(cluster, name).Count > 0)));
        await Condition.UntilAsync("all nodes are back in the ring", Patience, () => Task.FromResult(
            cluster.Names.All(name => Phase(cluster, name) == RingPhase.Member)));
        Assert.All(cluster.Names, name => Assert.Contains("n1", Assert.Single(Failures(cluster, name)).Text));
    }

    private static RingAuditor Auditor(NodeCluster cluster, string name) =>
        cluster[name].Services.GetRequiredService<RingAuditor>();

    private static RingPhase Phase(NodeCluster cluster, string name) =>
        cluster[name].Services.GetRequiredService<RingDriver>().Now.Ring.Phase;

    private static bool IsInRing(NodeCluster cluster, string name) =>
        cluster[name].Services.GetRequiredService<RingDriver>().Now.Ring
            is { Phase: RingPhase.Member, Successors.Length: 2 };

    private static List<ClusterEvent> Failures(NodeCluster cluster, string name) =>
        [.. cluster[name].Services.GetRequiredService<EventLog>().Newest
            .Where(happened => happened.Kind == "ring_audit_failed")];
}
