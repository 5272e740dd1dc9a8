using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>Months of one mailbox in a moment: five nodes, three of them members, cut off, switched off and changed by
/// chance, while messages are sent, acknowledged, forgotten, and sent again by whoever slept.</summary>
/// <remarks>docs/protocol.md#tombstones. A request takes no time, or days; operations do not overlap
/// otherwise.</remarks>
internal sealed class TombstoneWorld(ulong seed, ReplicaRules? rules = null, SetLimits? limits = null)
{
    private const string Set = "mbox";
    private static readonly TileId Tile = new(0, 0);
    private static readonly CoordinatorOptions Patience = new() { RoundsMax = 4, LateRoundsMax = 1, ScanRowsMax = 20 };
    private readonly ReplicaRules _rules = rules ?? ReplicaRules.Protocol;
    private readonly Prng _random = new(seed);
    private readonly List<(long DueMs, TombstoneNode To, NodeId From, ReplicaRequest Request)> _late = [];
    private readonly SortedDictionary<uint, Sent> _sent = [];
    private readonly List<string> _log = [];
    private TombstoneNode[] _nodes = [];
    private TileConfiguration _newest = new(Tile, 0, 1, []);
    private long _nowMs = Days(1000);
    private bool _isCalm;
    private string? _fault;

    private IEnumerable<TombstoneNode> On => _nodes.Where(node => node.IsReachable);

    /// <summary>How many tombstones all members have forgotten.</summary>
    public int ForgottenCount { get; private set; }

    /// <summary>How many messages were refused for want of room.</summary>
    public int RefusedCount { get; private set; }

    /// <returns>What went wrong, or null.</returns>
    public string? Run()
    {
        var ids = ClusterSetup.Name(5);
        _newest = new(Tile, 0, 1, ids[..3]);
        _nodes = [.. ids.Select(id => new TombstoneNode(
            id, _newest, _rules, limits ?? SetLimits.Default, Days(2 * _random.Unit() - 1)))];
        for (var step = 0; step < 400 && _fault is null; step++)
        {
            Pass(Days(_random.Unit() * 1.2));
            Act();
            if (_random.Chance(0.6))
                Tend();
        }

        Calm();
        return _fault is null ? null : $"seed {seed}: {_fault}\n{string.Join('\n', _log.TakeLast(40))}";
    }

    private void Act()
    {
        switch (_random.Below(12))
        {
            case <= 2:
                Send();
                break;
            case <= 4:
                Acknowledge();
                break;
            case 5:
                SendAgain();
                break;
            case 6:
                Scan();
                break;
            case 7:
                Switch(_random.Pick(_nodes));
                break;
            case 8:
                Repair();
                break;
            case 9 when _random.Chance(0.3):
                Change();
                break;
            default:
                Collect();
                break;
        }
    }

    /// <summary>Everything is on again and nothing is late: all rows go in the end, and every member is
    /// active.</summary>
    private void Calm()
    {
        _isCalm = true;
        foreach (var node in _nodes.Where(node => !node.IsReachable))
            Switch(node);
        for (var day = 0; day < 80 && _fault is null; day++)
        {
            Pass(Days(1));
            Tend();
            Repair();
            Scan();
            foreach (var node in On.ToArray())
                Collect(node);
        }

        var members = _nodes.Where(node => _newest.Contains(node.Id)).ToArray();
        if (members.Any(node => node.Header?.Phase != TilePhase.Active))
            _fault ??= $"not every member is active: {string.Join(' ', members.Select(node => node.Header?.Phase))}";
        if (members.Sum(node => node.Store.Contents(Tile).Count()) is > 0 and var rows)
            _fault ??= $"{rows} rows are left";
    }

    private void Pass(long ms)
    {
        _nowMs += ms;
        foreach (var late in _late.Where(late => late.DueMs <= _nowMs).ToArray())
        {
            _late.Remove(late);
            if (late.To.IsReachable)
                late.To.Handle(late.Request, late.From, _nowMs);
        }

        if (_isCalm)
            _late.Clear();
    }

    private void Send()
    {
        var id = (uint)_sent.Count + 1;
        _sent[id] = new Sent();
        Add(id);
    }

    private void SendAgain()
    {
        if (_sent.Count > 0)
            Add((uint)_random.Below(_sent.Count) + 1);
    }

    private void Add(uint id)
    {
        if (!TryPick(On, out var node))
            return;
        var sent = _sent[id];
        sent.FirstMs ??= _nowMs;
        var add = new SetAdd(_newest, Set, new(new(id), new byte[] { 1 }), Patience, _random.Next())
        {
            SentMs = sent.FirstMs.Value + node.CalendarMs,
        };
        Run(add, node);
        sent.IsKept |= add.Outcome is SetAddOutcome.Stored;
        RefusedCount += add.Outcome is SetAddOutcome.Refused ? 1 : 0;
        Log($"{id} sent at {node}: {add.Outcome}");
    }

    private void Acknowledge()
    {
        var open = _sent.Where(sent => sent.Value is { IsKept: true, IsBuried: false })
            .Select(sent => sent.Key).ToArray();
        if (open.Length == 0 || !TryPick(On, out var node))
            return;
        var id = _random.Pick(open);
        _sent[id].IsBurying = true;
        var bury = new SetAcknowledge(_newest, Set, [new(id)], Patience, _random.Next());
        Run(bury, node);
        _sent[id].IsBuried = bury.Outcome is SetAcknowledgeOutcome.Stored;
        Log($"{id} acknowledged at {node}: {bury.Outcome}");
    }

    private void Scan()
    {
        if (!TryPick(On, out var node))
            return;
        var buried = _sent.Where(sent => sent.Value.IsBuried).Select(sent => sent.Key).ToHashSet();
        var scan = new SetScan(_newest, Set, Patience, _random.Next()) { BegunMs = _nowMs + node.CalendarMs };
        var seen = Run(scan, node).OfType<Effect.Deliver>().SelectMany(some => some.Messages)
            .Select(message => (uint)message.Id.Value).ToHashSet();
        Log($"read at {node}: {string.Join(' ', seen)} ({scan.Outcome})");
        if (seen.Intersect(buried).ToArray() is [var back, ..])
            _fault ??= $"{back} is back";
        if (scan.Outcome is SetScanOutcome.Complete
            && _sent.FirstOrDefault(sent => !seen.Contains(sent.Key)
                && sent.Value is { IsKept: true, IsBurying: false }
                && _nowMs - sent.Value.FirstMs < Days(29)) is { Key: > 0 and var lost })
            _fault ??= $"{lost} is lost";
    }

    private void Collect()
    {
        if (TryPick(On, out var node))
            Collect(node);
    }

    private void Collect(TombstoneNode node)
    {
        if (node.Header is not { Phase: TilePhase.Active } header)
            return;
        var collector = new TombstoneCollector(node.Id, header.Configuration, Patience) { Rules = _rules };
        Run(collector, node);
        ForgottenCount += collector.ForgottenCount;
        if (collector.ForgottenCount + collector.ExpiredCount > 0)
            Log($"{node} had {collector.ForgottenCount} forgotten, {collector.ExpiredCount} expired");
    }

    private void Repair()
    {
        foreach (var node in On.ToArray())
            foreach (var other in On.Where(other => other != node).ToArray())
                if (node.Header is { Phase: TilePhase.Active } header && other.Header == header
                    && node.Handle(new ReplicaRequest.Summarize(header.Configuration.At), node.Id, _nowMs)
                        is ReplicaReply.Summary { Root: { } root }
                    && other.Handle(new ReplicaRequest.Summarize(header.Configuration.At), other.Id, _nowMs) is not null
                    && other.Handle(new ReplicaRequest.Compare([new(header.Configuration.At, root)]), node.Id, _nowMs)
                        is ReplicaReply.Differing { Tiles: [var theirs] })
                    Run(new TileRepair(node.Id, other.Id, header.Configuration, theirs.Sums, Patience)
                    {
                        BegunMs = _nowMs + node.CalendarMs,
                    }, node);
    }

    private void Switch(TombstoneNode node)
    {
        if (node.IsReachable)
            node.Leave(_nowMs, isOff: _random.Chance(0.5));
        else
            node.Return(_nowMs);
        Log($"{node} is {(node.IsReachable ? "back" : "away")}: {node.Header?.Phase}");
    }

    private void Change()
    {
        if (!TryPick(On.Where(node => node.Header?.Phase == TilePhase.Active), out var node))
            return;
        var members = _random.Sample(_nodes.Select(other => other.Id), 3);
        Run(new EpochChange(node.Header!.Configuration, [.. members], node.Ballots, Patience, _random.Next()), node);
        Log($"{node} changes to {string.Join(' ', members.Select(id => id.ToString()[..4]))}");
    }

    /// <summary>What the stewards do.</summary>
    private void Tend()
    {
        for (var round = 0; round < (_isCalm ? 4 : 1); round++)
            foreach (var node in On.ToArray())
                if (node.Header is { } header && node.Next(header, Patience, _random) is { } next)
                    Run(next, node);
    }

    /// <summary>Runs a coordinator at a node: what goes to others arrives, or is lost, or comes again after
    /// days.</summary>
    private List<Effect> Run(Coordinator coordinator, TombstoneNode at)
    {
        var (open, all) = (new Queue<Effect.Send>(), new List<Effect>());
        Take(coordinator.Start());
        for (var ringing = 0; !coordinator.IsDone && ringing < 8;)
            if (open.TryDequeue(out var send))
                Pass(send);
            else
            {
                ringing++;
                Take(coordinator.OnTimeout());
            }

        while (open.TryDequeue(out var last))
            Pass(last);
        foreach (var node in _nodes)
            if (node.Header is { } header && header.Newest.IsNewerThan(_newest))
                _newest = header.Newest;
        return all;

        void Take(IReadOnlyList<Effect> effects)
        {
            all.AddRange(effects);
            foreach (var send in effects.OfType<Effect.Send>())
                open.Enqueue(send);
        }

        void Pass(Effect.Send send)
        {
            var to = _nodes.Single(node => node.Id == send.To);
            var isOwn = to == at;
            if (!_isCalm && _random.Chance(0.1) && (!isOwn || send.Request is ReplicaRequest.Mend))
                _late.Add((_nowMs + Days(_random.Unit() * 40), to, at.Id, send.Request));
            if ((isOwn || to.IsReachable) && (_isCalm || isOwn || !_random.Chance(0.08)))
                Take(coordinator.On(to.Id, send.Request, to.Handle(send.Request, at.Id, _nowMs)));
            else
                Take(coordinator.OnUnreachable(to.Id, send.Request));
        }
    }

    private bool TryPick(IEnumerable<TombstoneNode> from, out TombstoneNode node)
    {
        var all = from.ToArray();
        node = all.Length > 0 ? _random.Pick(all) : null!;
        return all.Length > 0;
    }

    private void Log(string what) => _log.Add($"day {(_nowMs / (double)Days(1)) - 1000:F1}: {what}");

    private static long Days(double days) => (long)TimeSpan.FromDays(days).TotalMilliseconds;

    private sealed class Sent
    {
        public long? FirstMs { get; set; }
        public bool IsKept { get; set; }
        public bool IsBurying { get; set; }
        public bool IsBuried { get; set; }
    }
}
