using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Nodes that go on purpose, as Node/Operations/Departure lets them: docs/protocol.md, "Ring:
/// leave".</summary>
internal sealed class SwarmDepartures(SwarmCluster cluster)
{
    private static readonly TimeSpan Hearsay = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan ChangesMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<SwarmNode, RingHost> _stopping = [];

    private SimulatedWorld<SwarmMessage> World => cluster.World;

    /// <summary>Drain: stays until no tile needs it, and is gone for ever. False when too few would stay.</summary>
    public bool Drain(SwarmNode node)
    {
        if (cluster.Nodes.Count(other => !other.IsGone) <= cluster.Plan.Copies)
            return false;
        Go(node, null, node.Leave);
        return true;
    }

    /// <summary>SIGTERM: hands over what it can within a time, ends, and is started again later.</summary>
    public void Stop(SwarmNode node, TimeSpan within, TimeSpan away)
    {
        _stopping[node] = node.Ring;
        Go(node, within, () =>
        {
            node.Crash(CrashKind.Survived);
            World.After(away, node.Restart);
        });
    }

    /// <summary>Whether the process that was asked to stop still runs.</summary>
    public bool IsStopping(SwarmNode node) =>
        node.IsUp && _stopping.TryGetValue(node, out var process) && process == node.Ring;

    private void Go(SwarmNode node, TimeSpan? within, Action end)
    {
        var (process, deadline) = (node.Ring, within is { } limit ? World.Now + limit : TimeSpan.MaxValue);
        process.Heed(new MembershipInput.LeaveBegun(process.Clock));
        When(node, process, Hearsay, () => IsFree(node) || IsTime(), () =>
        {
            node.Tiles.BeginNoMore();
            var since = World.Now;
            When(node, process, Look, () => !HasOpenChange(node) || World.Now - since >= ChangesMax, () =>
            {
                process.Heed(new MembershipInput.LeaveDone(process.Clock));
                process.Feed(new RingInput.LeaveDue());
                World.After(node.Number, LastWords, end);
            });
        });

        bool IsTime() => within is not null && (World.Now >= deadline || !CanBeTakenOver(node));
    }

    /// <summary>Goes on when the condition holds, unless the process died meanwhile and came back to stay.</summary>
    private void When(SwarmNode node, RingHost process, TimeSpan wait, Func<bool> condition, Action then) =>
        World.After(node.Number, wait, () =>
        {
            if (node.Ring != process)
                return;
            if (condition())
                then();
            else
                When(node, process, Look, condition, then);
        });

    private bool CanBeTakenOver(SwarmNode node)
    {
        var (cache, clock) = (node.Ring.Cache, node.Ring.Clock);
        return cache.Members.All.Count(member => member.Peer != cache.Members.Self && member.IsReachable
            && Membership.MayHoldTiles(member, clock, cache.Options.Quarantine)) >= cluster.Plan.Copies;
    }

    private static bool IsFree(SwarmNode node) =>
        node.Tiles.Shown.All(header => header.Phase is TilePhase.Retired or TilePhase.None);

    private static bool HasOpenChange(SwarmNode node) =>
        node.Tiles.Shown.Any(header => header is { Phase: TilePhase.Sealed, Pending: null });
}
