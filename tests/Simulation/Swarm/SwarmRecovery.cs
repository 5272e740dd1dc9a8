using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.Ring;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What everything must have come back to when the faults are over.</summary>
internal sealed class SwarmRecovery(SwarmCluster cluster)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StillFor = TimeSpan.FromSeconds(15);

    private IEnumerable<SwarmNode> Running => cluster.Nodes.Where(node => node.IsUp);

    /// <summary>The first thing that is not yet as it should be, in words, or null.</summary>
    public string? Fault()
    {
        var live = Running.ToArray();
        if (IsAlone(live))
            return null;
        return cluster.Nodes.Where(cluster.IsRestarting).Select(node => $"{node.Self} is not back yet").FirstOrDefault()
            ?? (cluster.HasRival ? "a rival's change is on its way" : null)
            ?? (cluster.HasStragglers ? "messages of before are on their way" : null)
            ?? (live.FirstOrDefault(node => node.Store.DamagedCount > 0) is { } damaged
                ? $"{damaged.Self} has damaged rows" : null)
            ?? live.Select(CacheFault).FirstOrDefault(fault => fault is not null)
            ?? (live.FirstOrDefault(node => node.Ring.State.Phase is not RingPhase.Member) is { } outside
                ? $"{outside.Self} is {outside.Ring.State.Phase}" : null)
            ?? live.GroupBy(node => node.Self.Node).Where(same => same.Count() > 1)
                .Select(same => $"{same.First().Self} runs twice").FirstOrDefault()
            ?? new RingChecker(live.Select(node => node.Ring.State), cluster.Plan.Ring.SuccessorCount).Inexactness()
            ?? cluster.Watch.Newest.Values.OrderBy(tile => tile.Tile).Select(TileFault)
                .FirstOrDefault(fault => fault is not null)
            ?? (cluster.Clients.OutboxCount > 0 ? $"{cluster.Clients.OutboxCount} messages wait to be kept" : null);
    }

    /// <summary>Every node serves everything; the fault in words, or null.</summary>
    public string? TryAll()
    {
        var live = Running.ToArray();
        if (IsAlone(live))
            return null;
        foreach (var node in live)
        {
            var answered = cluster.Clients.TryEverything(node);
            for (var tries = 1; !cluster.World.RunUntil(answered, AnswerMax / 6); tries++)
                if (!node.IsUp)
                    break; // It had announced before that it would leave.
                else if (tries == 6)
                    return $"{node.Self} does not answer although everything has healed";
                else
                    answered = cluster.Clients.TryEverything(node);
        }

        return null;
    }

    /// <summary>A token that goes round the healed ring finds nothing wrong; the fault in words, or null.</summary>
    public string? TryAudit()
    {
        string? fault = null;
        for (var tries = 0; tries < 6; tries++, cluster.World.Run(AnswerMax / 30))
        {
            if (Running.Count() < 2
                || Running.FirstOrDefault(node => RingAudit.IsOrigin(node.Ring.State)) is not { } first)
                return null;
            var audit = first.Ring.Audit;
            audit.Send();
            cluster.World.RunUntil(() => audit.Last.Number == audit.Number || !first.IsUp, AnswerMax / 6);
            if (!first.IsUp || audit.Last.Number != audit.Number)
                fault = $"the token of {first.Self} did not come back";
            else if ((fault = audit.Last.Fault) is null)
                return null;
        }

        return $"the audit of the healed ring failed: {fault}";
    }

    /// <summary>Alone, with members on record that may be anywhere: it waits, and rightly so.</summary>
    private bool IsAlone(SwarmNode[] live) => !cluster.Nodes.Any(cluster.IsRestarting)
        && (live.Length == 0 || (live.Length == 1 && live[0].Ring.Cache.Members.Count > 1));

    private string? CacheFault(SwarmNode node)
    {
        foreach (var other in cluster.Nodes.GroupBy(other => other.Self.Node))
            if (other.Any(process => process.IsUp) != (node.Ring.Cache.Members[other.Key]?.IsReachable ?? false))
                return $"{node.Self} believes {other.First().Self} "
                    + $"{node.Ring.Cache.Members[other.Key]?.Health.ToString() ?? "nobody"}";
        return cluster.Machines.Where(other => other.IsStranger && node.Ring.Cache.Members[other.Self.Node] is not null)
            .Select(other => $"{node.Self} takes {other.Self} of another cluster for a member").FirstOrDefault();
    }

    /// <summary>Nothing is moved any more once all is well. What a rival has asked of a slow disk may be carried out
    /// late, and seal a tile: then the next seconds count.</summary>
    public string? Unrest() => Moved() is { } moved && (!cluster.HadRival || Moved() is not null) ? moved : null;

    private string? Moved()
    {
        if (Running.Any(node => node.Ring.Cache.Members.Own.Health is not Health.Alive))
            return null; // Somebody leaves: its tiles have to move.
        var before = cluster.Watch.MoveCount;
        cluster.World.Run(StillFor);
        return cluster.Watch.MoveCount == before
            ? null
            : $"tiles moved {cluster.Watch.MoveCount - before} times after everything had healed";
    }

    private string? TileFault(TileConfiguration newest)
    {
        var ring = Running.Where(node => node.Ring.Cache.Members.Own.Health is Health.Alive)
            .Select(node => (node.Self.Position, node.Self.Node)).OrderBy(node => node.Position).ToArray();
        var wanted = Placement.Members(newest.Tile, ring, cluster.Plan.Copies);
        if (wanted.Length >= newest.Members.Length && !wanted.ToHashSet().SetEquals(newest.Members))
            return $"{newest} should be with [{Names(wanted)}]; "
                + $"{string.Join("; ", Running.Select(node => View(node, newest)))}";
        foreach (var node in Running)
        {
            var header = node.Tiles.Replica.Header(newest.Tile);
            if (newest.Contains(node.Self.Node)
                && !(header is { Phase: TilePhase.Active } && header.Configuration == newest))
                return $"{node.Self} is {header?.Phase} in {header?.Configuration}, the newest is {newest}";
            if (!newest.Contains(node.Self.Node) && header is { Phase: not TilePhase.Retired })
                return $"{node.Self} is {header.Phase} in {header.Configuration} though {newest} is without it";
        }

        return CopyFault(newest);
    }

    /// <summary>The copies are equal once the comparison has gone round.</summary>
    private string? CopyFault(TileConfiguration newest)
    {
        var members = Running.Where(node => newest.Contains(node.Self.Node)).ToArray();
        var rows = members.SelectMany(node => node.Store.Contents(newest.Tile)).GroupBy(row => row.Row);
        foreach (var row in rows.Where(row => !MayBeForgotten(row.Select(copy => copy.State))))
            if (row.All(copy => copy.State is not null) && (row.Count() < members.Length || row.Distinct().Count() > 1))
                return $"{row.Key} of {newest} is {string.Join(", ", row.Select(copy => copy.State))} "
                    + $"at {row.Count()} of {members.Length} running members";
        return null;
    }

    /// <summary>Old tombstones are not given to those who have none.</summary>
    private bool MayBeForgotten(IEnumerable<string?> states) =>
        cluster.Plan.Aging is not null && states.All(state => state is MemoryReplicaStore.Buried);

    /// <summary>How one node sees a tile, for the text of a failure.</summary>
    private static string View(SwarmNode node, TileConfiguration newest)
    {
        var outlook = node.Tiles.Outlook(newest);
        var header = node.Tiles.Replica.Header(newest.Tile);
        return $"{node.Self} ({node.Self.Node.ToString()[..8]}) is {header?.Phase} at {header?.Configuration.Epoch}"
            + $"{(header?.Previous is null ? "" : ", not all told")}, prefers [{Names(outlook.Preferred)}] "
            + $"to [{Names(outlook.Unwanted)}], runs {node.Tiles.RunningCount}";
    }

    private static string Names(IEnumerable<NodeId> nodes) =>
        string.Join(' ', nodes.Select(node => node.ToString()[..8]));
}
