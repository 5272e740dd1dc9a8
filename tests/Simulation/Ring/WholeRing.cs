using ChordChat.Core.Ring;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>Nodes with ring and membership cache, as a host runs them: found by beacons, doubted by probes.</summary>
internal sealed class WholeRing
{
    private readonly List<Peer> _founders;
    private readonly Dictionary<int, ulong> _starts = [];
    private readonly MembershipOptions _options = new() { Quarantine = TimeSpan.FromSeconds(60) };

    public WholeRing(ulong seed, RingOptions options, IEnumerable<UInt128> founders)
    {
        Ring = new SimulatedRing(seed, options);
        foreach (var position in founders)
            Ring.Add(position);
        _founders = [.. Ring.Peers];
    }

    public SimulatedRing Ring { get; }

    public SimulatedWorld<RingMessage> World => Ring.World;

    /// <summary>Starts every node that was added, at almost the same time.</summary>
    public void StartAll()
    {
        foreach (var number in World.Nodes)
            Start(Ring[number]);
    }

    public void Join(UInt128 position) => Start(Ring.Add(position));

    public void Start(int number) => Start(Ring[number]);

    public void Restart(int number) => Start(Ring.Restart(number));

    /// <summary>Runs until everything is exact. Gives the failure's text when that takes longer.</summary>
    public string? Settle(TimeSpan limit)
    {
        for (var end = World.Now + limit; Inexactness() is { } fault; World.Run(TimeSpan.FromMilliseconds(250)))
            if (World.Now >= end)
                return World.Failure($"after {limit}: {fault}");
        return null;
    }

    /// <summary>The first thing that is not as it should be once everything is calm, in words, or null.</summary>
    public string? Inexactness()
    {
        if (Ring.Running.Count() == 1 && Ring.Running.Single().Cache!.Members.Count > 1)
            return null; // Alone, with members on record that may be anywhere: it waits.
        if (Ring.Running.FirstOrDefault(node => node.Ring.Phase is not RingPhase.Member) is { } outside)
            return $"{outside.Ring.Self} is {outside.Ring.Phase}";
        return Ring.Running.Select(CacheFault).FirstOrDefault(fault => fault is not null)
            ?? new RingChecker(Ring).Inexactness();
    }

    private string? CacheFault(SimulatedNode node) => Ring.Peers
        .Where(peer => World.IsUp(Ring.NumberOf(peer)) != (node.Cache!.Members[peer.Node]?.IsReachable ?? false))
        .Select(peer => $"{node.Ring.Self} believes {peer} "
            + $"{node.Cache!.Members[peer.Node]?.Health.ToString() ?? "nobody"}")
        .FirstOrDefault();

    private void Start(SimulatedNode node)
    {
        var starts = _starts[node.Number] = _starts.GetValueOrDefault(node.Number) + 1;
        node.Cache = MembershipState.Starting(
            node.Ring.Self, MembershipState.FirstIncarnation(starts), 0, World.Now, _options);
        node.Feed(new MembershipInput.Founded(World.Now, [.. _founders]));
        node.Start();
        World.After(node.Number, World.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), () => Beacon(node));
    }

    /// <summary>Everybody who can hear it learns where the node is; a beacon is one way and may be lost.</summary>
    private void Beacon(SimulatedNode node)
    {
        foreach (var other in Ring.Running.Where(other => other != node).ToList())
            if (!World.Network.IsCut(node.Number, other.Number) && !World.Random.Chance(World.Network.Loss))
                other.Feed(new MembershipInput.HeardOf(World.Now, node.Ring.Self));
        World.After(
            node.Number, World.Random.Between(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10)), () => Beacon(node));
    }
}
