using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>A cluster of whole nodes in a simulated world, and its two acts: faults and work, then calm.</summary>
internal sealed class SwarmCluster
{
    /// <summary>2026-01-01 in Unix milliseconds: where wall clocks begin.</summary>
    public const long EpochMs = 1_767_225_600_000;

    private const int CheckMs = 250;

    /// <summary>For so long a member that has left counts as one that restarts, and somewhat longer.</summary>
    private static readonly TimeSpan Restart = TimeSpan.FromMinutes(11);

    private readonly List<SwarmNode> _machines = [];
    private readonly List<SwarmNode> _nodes = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly ImmutableArray<Peer> _founders;
    private readonly ImmutableArray<TileConfiguration> _genesis;
    private readonly SwarmFaults _faults;
    private TimeSpan _calmSince;

    public SwarmCluster(SwarmPlan plan, ReplicaRules? rules = null)
    {
        (Plan, Rules) = (plan, rules ?? ReplicaRules.Protocol);
        World = new SimulatedWorld<SwarmMessage>(plan.Seed);
        Watch = new SwarmWatch(this);
        Clients = new SwarmClients(this);
        _faults = new SwarmFaults(this);
        for (var i = 0; i < plan.Founders; i++)
            World.Crash(Add().Number);
        _founders = [.. _nodes.Select(node => node.Self)];
        _genesis = GenesisOf(_founders);
        foreach (var configuration in _genesis)
            Watch.Decided(configuration);
        SetWeather(plan.Weather);
    }

    public SwarmPlan Plan { get; }

    public ReplicaRules Rules { get; }

    public SimulatedWorld<SwarmMessage> World { get; }

    public SwarmWatch Watch { get; }

    public SwarmClients Clients { get; }

    public IReadOnlyList<SwarmNode> Nodes => _nodes;

    /// <summary>The nodes and those of other clusters, each at its number.</summary>
    public IReadOnlyList<SwarmNode> Machines => _machines;

    /// <summary>Whether the faults are over.</summary>
    public bool IsCalm { get; private set; }

    /// <summary>The faults that came, in words.</summary>
    public IReadOnlyList<(FaultKind Kind, string Text)> Happened => _faults.Happened;

    /// <summary>The addresses that an operator wrote down, where no beacon is heard.</summary>
    public IEnumerable<Peer> Seeds => Plan.HasBeacons ? []
        : _nodes.Where(node => !node.IsGone).Take(2).Select(node => node.Self);

    /// <summary>Both acts. Null when nothing is wrong, otherwise the first fault in words.</summary>
    public string? Run()
    {
        Start();
        foreach (var fault in Plan.Script)
            World.After(fault.At, () => _faults.Apply(fault));
        Work();
        World.RunUntil(() => Watch.Fault is not null, Plan.Length);
        if (Verdict() is { } early)
            return early;
        Calm();
        return Recover() ?? Verdict();
    }

    /// <param name="isStranger">Whether it founds a cluster of its own.</param>
    public SwarmNode Add(bool isStranger = false)
    {
        var number = _machines.Count;
        var random = new Core.Ring.Prng(unchecked(Plan.Seed * 7919 + (ulong)number));
        var identity = new Peer(
            new NodeId(random.Next128(), (UInt128)number + 1), new RingId(random.Next128()), $"n{number + 1}", "");
        return Add(identity, isStranger);
    }

    /// <summary>A machine with a process of that identity, at an address of its own.</summary>
    public SwarmNode Add(Peer identity, bool isStranger = false)
    {
        SwarmNode? made = null;
        var number = World.Add((from, message) => made!.Receive(from, message));
        var node = made = new SwarmNode(this, number, identity with { Address = $"h{number + 1}:7401" }, isStranger);
        _machines.Add(node);
        if (!isStranger)
            _nodes.Add(node);
        _numbers[node.Self.Address] = number;
        return node;
    }

    /// <summary>Who listens at an address, or -1.</summary>
    public int NumberOf(string address) => _numbers.GetValueOrDefault(address, -1);

    /// <summary>The members that this node's genesis names: the same for all, unless nodes found by
    /// themselves.</summary>
    public ImmutableArray<Peer> FoundersOf(SwarmNode node) =>
        node.FoundedAlone || node.IsStranger ? [node.Self] : _founders;

    public ImmutableArray<TileConfiguration> GenesisOf(SwarmNode node) =>
        node.FoundedAlone || node.IsStranger ? GenesisOf(FoundersOf(node)) : _genesis;

    /// <summary>Whether the node was asked to stop, or has not come back yet.</summary>
    public bool IsRestarting(SwarmNode node) => !node.IsGone && (!node.Serves || _faults.IsStopping(node));

    public bool HasRival => _faults.HasRival;

    /// <summary>Whether there ever was one.</summary>
    public bool HadRival => _faults.HadRival;

    /// <summary>Whether what was sent before the faults were over may still arrive, and seal a tile.</summary>
    public bool HasStragglers => IsCalm && World.Now - _calmSince <= Plan.Weather.StraggleMax;

    /// <summary>Whether nothing keeps nodes from hearing each other: then a copy must be found out.</summary>
    public bool HearsEverybody => World.Network.IsWhole && World.Network.Loss == 0
        && _nodes.All(node => node.IsGone || (node.IsThere && node.Serves));

    /// <summary>Older disks that were started, and processes that were refused because of one.</summary>
    public (int Started, int Refused) Copies { get; private set; }

    public void StartedCopy() => Copies = (Copies.Started + 1, Copies.Refused);

    public void Refused() => Copies = (Copies.Started, Copies.Refused + 1);

    public TimeSpan SyncTime(SwarmNode node) => _faults.IsSlow(node)
        ? World.Random.Between(TimeSpan.FromMilliseconds(50), Plan.Aging?.SlowSyncMax ?? TimeSpan.FromSeconds(5))
        : World.Random.Between(TimeSpan.FromMilliseconds(0.1), IsCalm ? Weather.Fine.SyncMax : Plan.Weather.SyncMax);

    public void SetWeather(Weather weather)
    {
        var network = World.Network;
        (network.Loss, network.Duplication) = (weather.Loss, weather.Duplication);
        (network.Straggling, network.StraggleMax, network.DelayMax) =
            (weather.Straggling, weather.StraggleMax, weather.DelayMax);
    }

    private ImmutableArray<TileConfiguration> GenesisOf(ImmutableArray<Peer> founders) =>
        [.. Placement.Genesis(founders.Select(peer => (peer.Position, peer.Node)), Plan.Copies, Plan.TileBits)];

    private void Start()
    {
        foreach (var node in _nodes)
            World.After(World.Random.Between(TimeSpan.Zero, Plan.StartWithin), node.Restart);
    }

    private void Work() => World.After(World.Random.Between(Plan.OperationEvery / 4, Plan.OperationEvery * 2), () =>
    {
        if (IsCalm)
            return;
        Clients.Operate();
        Work();
    });

    /// <summary>The second act begins: the faults are over, whoever can come back does.</summary>
    private void Calm()
    {
        (IsCalm, _calmSince) = (true, World.Now);
        World.Network.Calm();
        foreach (var stranger in _machines.Except(_nodes))
            World.Resume(stranger.Number);
        SetWeather(Weather.Fine);
        _faults.Undo();
        foreach (var node in _nodes.ToArray())
        {
            World.Resume(node.Number);
            if (node.Store.HasDamagedHeader && !node.IsGone)
                node.Ruin("damaged header found");
            else if (!node.IsDestroyed
                && (!node.IsGone || Watch.Newest.Values.Any(tile => tile.Contains(node.Self.Node))))
                node.Return(); // Left, and named by a change that was decided later: its folder is still there.
            if (node.IsUp)
                node.Tiles.Scrub();
        }
    }

    private string? Recover()
    {
        var calm = new SwarmRecovery(this);
        var (begun, patience) = (World.Now, Plan.CalmMax);
        for (; Watch.Fault is null; World.Run(TimeSpan.FromMilliseconds(CheckMs)))
        {
            if (calm.Fault() is not { } missing)
                return calm.TryAll() ?? calm.TryAudit() ?? calm.Unrest();
            foreach (var node in _nodes.Where(node => node.IsUp && node.Store.DamagedCount > 0))
                node.Tiles.Scrub(); // Nothing that was found is forgotten: docs/protocol.md#scrub.
            if (World.Now - begun < patience)
                continue;
            if (patience > Plan.CalmMax || _nodes.Count(node => node.IsGone || node.IsDestroyed) < 2)
                return $"not recovered {patience.TotalSeconds:f0} s after the faults were over: {missing}";
            patience += Restart; // Two that left may come back: docs/protocol.md#next-members.
        }

        return Watch.Fault;
    }

    private string? Verdict()
    {
        Watch.Doubt();
        Watch.CheckDoubtful();
        return Watch.Fault ?? Clients.Fault();
    }
}
