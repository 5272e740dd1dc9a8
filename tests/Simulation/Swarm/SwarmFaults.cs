using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Carries out the faults of a script, and takes back those that have an end.</summary>
internal sealed class SwarmFaults(SwarmCluster cluster)
{
    private const int NodesMax = 14;
    private const int StrangersMax = 2;

    /// <summary>How often a tile of the genesis is halved at most.</summary>
    private const int CutsMax = 3;

    /// <summary>A change of members may be decided that long after it was begun; two of those it wants must not be lost
    /// meanwhile, or nobody could ever answer.</summary>
    private static readonly TimeSpan InFlight = TimeSpan.FromSeconds(30);

    /// <summary>A change that was begun before a node was lost is decided or given up after that long.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(8);

    private readonly List<(FaultKind Kind, string Text)> _happened = [];
    private readonly HashSet<int> _slow = [];
    private readonly Dictionary<NodeId, TimeSpan> _needed = [];
    private readonly SwarmDepartures _departures = new(cluster);
    private readonly List<(SwarmNode Node, TileHost Process, EpochChange Change)> _rivals = [];
    private int _noise;

    /// <summary>What came of the script so far, one line each; faults that found nothing to hit are left out.</summary>
    public IReadOnlyList<(FaultKind Kind, string Text)> Happened => _happened;

    private SimulatedWorld<SwarmMessage> World => cluster.World;

    public bool IsSlow(SwarmNode node) => _slow.Contains(node.Number);

    /// <summary>Whether there ever was a change that nobody asked for.</summary>
    public bool HadRival => _rivals.Count > 0;

    /// <summary>Whether one is still on its way.</summary>
    public bool HasRival =>
        _rivals.Any(rival => !rival.Change.IsDone && rival.Node.IsUp && rival.Node.Tiles == rival.Process);

    public bool IsStopping(SwarmNode node) => _departures.IsStopping(node);

    public void Apply(Fault fault)
    {
        if (cluster.IsCalm)
            return;
        var what = Strike(fault, new Prng(fault.How));
        if (what is null)
            return;
        World.Note(-1, what);
        _happened.Add((fault.Kind, $"{fault}: {what}"));
    }

    /// <summary>Disks are quick again; what else has an end is ended by the cluster.</summary>
    public void Undo()
    {
        _slow.Clear();
        foreach (var node in cluster.Nodes)
            if (node.IsUp)
                node.Tiles.SyncFails = false;
    }

    private string? Strike(Fault fault, Prng how) => fault.Kind switch
    {
        FaultKind.Crash => Crash(fault, (CrashKind)how.Below(3)),
        FaultKind.PowerCut => PowerCut(fault, how),
        FaultKind.SyncFails => Up(fault) is { } node ? FailSync(fault, node) : null,
        FaultKind.SlowDisk => Up(fault) is { } node ? Slow(fault, node) : null,
        FaultKind.Pause => Up(fault) is { } node ? Pause(fault, node) : null,
        FaultKind.Split => Split(fault, how, oneWay: false),
        FaultKind.OneWay => Split(fault, how, oneWay: true),
        FaultKind.Noise => Noise(fault, how),
        FaultKind.ClockJump => Up(fault) is { } node ? Jump(node, how) : null,
        FaultKind.Join => Join(),
        FaultKind.Leave => Up(fault) is { } node ? Drain(node) : null,
        FaultKind.Stop => Up(fault) is { } node ? Stop(node, fault, how) : null,
        FaultKind.RollingRestart => RollingRestart(fault, how),
        FaultKind.Strangers => Strangers(fault, how),
        FaultKind.Destroy => Destroy(fault, how),
        FaultKind.FlipRow => CanSpare(fault) is { } node
            ? Flip(node, how.Chance(0.8) ? RowKind.Register : RowKind.Header, how) : null,
        FaultKind.FlipMessage => CanSpare(fault) is { } node ? Flip(node, RowKind.Message, how) : null,
        FaultKind.Rollback => Up(fault) is { } node ? Rollback(fault, node) : null,
        FaultKind.Clone => Up(fault) is { } node ? Clone(fault, node) : null,
        FaultKind.RivalSteward => Rival(fault, how),
        FaultKind.CutTile => Cut(fault, how),
        FaultKind.FalseAlarm => Up(fault) is { } node ? Alarm(node, how) : null,
        _ => null,
    };

    private SwarmNode? Up(Fault fault)
    {
        var up = cluster.Nodes.Where(node => node.IsThere).ToArray();
        return up.Length == 0 ? null : up[(int)(fault.Where % (ulong)up.Length)];
    }

    private void Later(Fault fault, Action undo) => World.After(fault.For, () =>
    {
        if (!cluster.IsCalm)
            undo();
    });

    private string? Crash(Fault fault, CrashKind kind)
    {
        if (Up(fault) is not { } node)
            return null;
        node.Crash(kind);
        Later(fault, node.Restart);
        return $"{node.Self} killed, its open transaction {kind}";
    }

    private string PowerCut(Fault fault, Prng how)
    {
        foreach (var node in cluster.Nodes.Where(node => node.IsUp).ToArray())
        {
            node.Crash((CrashKind)how.Below(3));
            World.After(fault.For + how.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), () =>
            {
                if (!cluster.IsCalm)
                    node.Restart();
            });
        }

        return "all killed";
    }

    private string FailSync(Fault fault, SwarmNode node)
    {
        node.Tiles.SyncFails = true;
        Later(fault, node.Restart);
        return $"the next sync of {node.Self} fails";
    }

    private string Slow(Fault fault, SwarmNode node)
    {
        _slow.Add(node.Number);
        Later(fault, () => _slow.Remove(node.Number));
        return $"the disk of {node.Self} is slow";
    }

    private string Pause(Fault fault, SwarmNode node)
    {
        World.Pause(node.Number);
        Later(fault, () => World.Resume(node.Number));
        return $"{node.Self} stopped";
    }

    private string Split(Fault fault, Prng how, bool oneWay)
    {
        var side = World.Nodes.Where(_ => how.Chance(0.5)).ToArray();
        var pairs = side.SelectMany(from => World.Nodes.Except(side).Select(to => (from, to))).ToArray();
        foreach (var (from, to) in pairs)
        {
            World.Network.Cut(from, to);
            if (!oneWay)
                World.Network.Cut(to, from);
        }

        Later(fault, () =>
        {
            foreach (var (from, to) in pairs)
            {
                World.Network.Mend(from, to);
                if (!oneWay)
                    World.Network.Mend(to, from);
            }
        });
        var names = string.Join(' ', side.Select(number => $"n{number + 1}"));
        return oneWay ? $"[{names}] hear the others and are not heard" : $"[{names}] cut off";
    }

    private string Noise(Fault fault, Prng how)
    {
        var weather = Weather.Draw(how) with { Loss = 0.1 + (how.Unit() * 0.4), Straggling = how.Unit() * 0.5 };
        cluster.SetWeather(weather);
        var noise = ++_noise;
        Later(fault, () =>
        {
            if (noise == _noise)
                cluster.SetWeather(cluster.Plan.Weather);
        });
        return $"{weather.Loss:p0} lost, {weather.Duplication:p0} doubled, {weather.Straggling:p0} late";
    }

    private string Jump(SwarmNode node, Prng how)
    {
        var most = cluster.Plan.Aging?.CalendarErrorMax ?? TimeSpan.FromMinutes(10);
        node.ClockError = how.Between(-most, most);
        return $"the clock of {node.Self} is off by {node.ClockError.TotalSeconds:f0} s";
    }

    private string? Join()
    {
        if (cluster.Nodes.Count(node => !node.IsGone) >= NodesMax || cluster.Nodes.Count >= 2 * NodesMax)
            return null;
        var node = cluster.Add();
        node.Boot();
        return $"{node.Self} joins";
    }

    private string? Drain(SwarmNode node) => _departures.Drain(node) ? $"{node.Self} leaves for good" : null;

    private string Stop(SwarmNode node, Fault fault, Prng how)
    {
        var (within, away) = (fault.For, how.Between(TimeSpan.Zero, TimeSpan.FromSeconds(5)));
        _departures.Stop(node, within, away);
        return $"{node.Self} is asked to stop, and started again {away.TotalSeconds:f1} s after it did";
    }

    /// <summary>One after the other is stopped and started again, whether the last one is back or not.</summary>
    private string RollingRestart(Fault fault, Prng how)
    {
        var gap = fault.For / 2;
        var turn = TimeSpan.Zero;
        foreach (var node in cluster.Nodes.Where(node => node.IsUp).ToArray())
            World.After(turn += gap, () =>
            {
                if (!cluster.IsCalm && node.IsThere)
                    _departures.Stop(node, fault.For, how.Between(TimeSpan.Zero, gap));
            });
        return $"all are restarted in order, every {gap.TotalSeconds:f1} s";
    }

    private string? Strangers(Fault fault, Prng how)
    {
        if (cluster.Machines.Count - cluster.Nodes.Count >= StrangersMax)
            return null;
        var stranger = cluster.Add(isStranger: true);
        stranger.Boot();
        if (how.Chance(0.5))
            Later(fault, () => stranger.Crash(CrashKind.Lost));
        return $"{stranger.Self} founds another cluster beside";
    }

    private string? Destroy(Fault fault, Prng how)
    {
        if (CanSpare(fault) is not { } node)
            return null;
        node.Ruin("destroyed");
        if (how.Chance(0.7))
            Later(fault, () => Join());
        return $"{node.Self} and its disk are lost";
    }

    private static string? Flip(SwarmNode node, RowKind kind, Prng how) =>
        node.Store.Flip(kind, how.Below(1000)) is { } row ? $"a bit flips in {row} of {node.Self}" : null;

    /// <summary>A backup is made now and restored a while later, when that is one loss that can be spared and the
    /// others can be heard: more is not promised.</summary>
    private string Rollback(Fault fault, SwarmNode node)
    {
        var image = node.Snapshot();
        Later(fault, () =>
        {
            if (!CanSpare(node) || !cluster.HearsEverybody)
                return;
            node.Crash(CrashKind.Lost);
            node.Replace(image);
            node.Restart();
        });
        return $"a backup of {node.Self} is made, to be restored later";
    }

    private string Clone(Fault fault, SwarmNode node)
    {
        var image = node.Snapshot();
        Later(fault, () =>
        {
            if (!CanSpare(node) || !cluster.HearsEverybody)
                return;
            var copy = cluster.Add(node.Self);
            copy.Replace(image);
            copy.Boot();
        });
        return $"the machine of {node.Self} is copied, to be started later";
    }

    /// <summary>A node whose loss every tile survives: all members of the newest configurations are complete, sound and
    /// there to be asked, and one may be lost. Where tombstones grow old in seconds none is spared: who is away for
    /// longer is as good as lost, and anybody may be.</summary>
    private SwarmNode? CanSpare(Fault fault) => Up(fault) is { } victim && CanSpare(victim) ? victim : null;

    private bool CanSpare(SwarmNode victim)
    {
        if (cluster.Plan.Aging is not null || !victim.IsThere || !victim.Serves
            || cluster.Nodes.Count(node => node.Serves) <= 3 || IsLossInFlight())
            return false;
        if (_needed.TryGetValue(victim.Self.Node, out var until) && World.Now < until)
            return false;
        return cluster.Watch.Newest.Values.All(configuration => configuration.Members.Length >= 3
            && configuration.Members.All(member => IsSound(member, configuration)));
    }

    /// <summary>A change may want a node that was lost after it had answered; a second loss then is one more than is
    /// promised. docs/protocol.md#newcomers</summary>
    private bool IsLossInFlight() => cluster.Nodes.Any(node => node.IsDestroyed && World.Now - node.LostAt < Noticed);

    private bool IsSound(NodeId member, TileConfiguration configuration) => cluster.Nodes.Any(node =>
        node.Self.Node == member && !node.IsGone && node.Store.DamagedCount == 0
        && node.Store.PeekHeader(configuration.Tile) is { Phase: TilePhase.Active } header
        && header.Configuration == configuration);

    /// <summary>One or two nodes begin to cut a tile, perhaps the same, perhaps while its members change.</summary>
    private string? Cut(Fault fault, Prng how)
    {
        if (Up(fault) is not { } first)
            return null;
        var up = cluster.Nodes.Where(node => node.IsThere).ToArray();
        var known = first.Tiles.Directory.All.Where(at => at.Tile.Bits < cluster.Plan.TileBits + CutsMax)
            .OrderBy(at => at.Tile).ToArray();
        if (known.Length == 0)
            return null;
        var at = how.Pick(known);
        foreach (var node in how.Chance(0.5) ? [first] : new[] { first, how.Pick(up) }.Distinct())
            Run(node, new EpochChange(at, at.Members, node.Tiles.Ballots, cluster.Plan.Patience, how.Next())
            {
                Cuts = true,
            });
        return $"{first.Self} cuts {at.Tile}";
    }

    private static string Alarm(SwarmNode node, Prng how)
    {
        node.Ring.Audit.Alarm(how.Next());
        return $"{node.Self} says that the ring is broken";
    }

    private string? Rival(Fault fault, Prng how)
    {
        if (Up(fault) is not { } node || cluster.Nodes.Any(other => !other.IsGone && other.Store.DamagedCount > 0))
            return null; // A member damaged and another one new are two failures at once: more than is promised.
        var at = how.Pick(node.Tiles.Directory.All.OrderBy(configuration => configuration.Tile).ToArray());
        var known = cluster.Nodes.Where(other => !other.IsGone && other.IsUp
                && node.Ring.Cache.Members[other.Self.Node] is { IsReachable: true, Health: Health.Alive })
            .Select(other => other.Self.Node).Distinct().ToArray();
        if (known.Length < at.Members.Length)
            return null;
        var wanted = how.Sample(known, at.Members.Length);
        foreach (var member in wanted)
            _needed[member] = World.Now + InFlight;
        Run(node, new EpochChange(at, [.. wanted], node.Tiles.Ballots, cluster.Plan.Patience, how.Next()));
        return $"{node.Self} changes {at.Tile} without being asked";
    }

    private void Run(SwarmNode node, EpochChange change)
    {
        _rivals.Add((node, node.Tiles, change));
        node.Tiles.Run(change);
    }
}
