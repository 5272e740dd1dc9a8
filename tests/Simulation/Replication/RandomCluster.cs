using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>Five nodes, one tile of three, and a seed that decides everything else: two acts, chaos and calm.</summary>
internal sealed class RandomCluster
{
    private const int NodeCount = 5;
    private const int Copies = 3;
    private static readonly TileId Tile = new(0, 0);

    private readonly SimulatedWorld<ReplicaMessage> _world;
    private readonly ClusterSetup _setup;
    private readonly SimulatedNode[] _nodes;
    private readonly History _history = new();
    private readonly Dictionary<ulong, TileConfiguration> _chain = [];
    private readonly bool _stewardsAct;
    private readonly PlantedBug _bug;
    private readonly Weights _weights;
    private bool _calm;
    private string? _fault;
    private uint _operation;

    public RandomCluster(ulong seed, PlantedBug bug = PlantedBug.None)
    {
        _world = new SimulatedWorld<ReplicaMessage>(seed);
        _bug = bug;
        _weights = Weights.Draw(_world.Random);
        _stewardsAct = _world.Random.Chance(0.7);
        var ids = ClusterSetup.Name(NodeCount);
        _setup = new ClusterSetup
        {
            Ids = ids,
            Genesis = new TileConfiguration(Tile, 0, 1, ids[..Copies]),
            Preferred = ids[..Copies],
            Options = _weights.Options,
            StewardOptions = _weights.StewardOptions,
            StewardsAct = () => _calm || _stewardsAct,
            Rules = Plant.Rules(bug),
            ForgetsPromises = bug == PlantedBug.PromiseNotDurable,
            SyncMax = _weights.SyncMax,
            DelicateLoss = _weights.DelicateLoss,
            Observe = Observe,
            Decided = Decided,
        };
        _chain[1] = _setup.Genesis;
        (_world.Network.Loss, _world.Network.Duplication) = (_weights.Loss, _weights.Duplication);
        (_world.Network.Straggling, _world.Network.StraggleMax) = (_weights.Straggling, _weights.StraggleMax);
        _nodes = new SimulatedNode[NodeCount];
        for (var i = 0; i < NodeCount; i++)
        {
            var number = i;
            _world.Add((from, message) => _nodes[number].Receive(from, message));
            _nodes[i] = new SimulatedNode(_world, i, _setup);
        }
    }

    private CoordinatorOptions Patience => _calm ? CoordinatorOptions.Default : _setup.Options;

    public ulong TraceHash => _world.Trace.Hash;

    public int EpochCount => _chain.Count;

    public int AcknowledgedCount => _history.AcknowledgedCount;

    /// <summary>Both acts. Null when nothing is wrong, or the failure in words.</summary>
    public string? Run()
    {
        Script(_weights.OperationEvery, () => Operate());
        Script(_weights.ChangeEvery, ChangeMembers);
        Script(_weights.CrashEvery, CrashOrRestart);
        Script(_weights.CutEvery, CutOrHeal);
        _world.Run(TimeSpan.FromSeconds(8));
        if (_fault is null && _history.Fault() is { } early)
            return _world.Failure(early);
        Calm();
        var fault = _fault ?? FinalFault() ?? _fault ?? _history.Fault();
        return fault is null ? null : _world.Failure(fault);
    }

    private void Calm()
    {
        _calm = true;
        _world.Network.Calm();
        _setup.DelicateLoss = 0;
        foreach (var node in _world.Nodes.Where(node => !_world.IsUp(node)).ToArray())
            _nodes[node].Restart();
    }

    /// <summary>Repeats something at random intervals as long as there is chaos.</summary>
    private void Script(TimeSpan every, Action action) =>
        _world.After(_world.Random.Between(every / 4, every * 2), () =>
        {
            if (_calm)
                return;
            action();
            Script(every, action);
        });

    /// <summary>A random client operation at a random running node.</summary>
    private void Operate()
    {
        var node = _nodes[_world.Random.Pick(_world.Running.ToArray())];
        switch (_world.Random.Pick(_weights.Mix))
        {
            case 0: Append(node); break;
            case 1: Read(node); break;
            case 2: Add(node); break;
            case 3: Scan(node); break;
            default: Acknowledge(node); break;
        }
    }

    private void Append(SimulatedNode node)
    {
        var id = ++_operation;
        var access = _history.BeginAccess(RandomKey(), id, appends: true, _world.Now);
        var change = new RegisterChange(
            node.Directory.Of(Tile)!, access.Key,
            list => History.Entries(list.Span).Contains(id) ? null : History.Append(list.Span, id),
            node.Ballots, _setup.Options, _world.Random.Next());
        node.Run(change, _ =>
        {
            if (access.Returned is not null)
                return;
            if (change.Outcome is RegisterChangeOutcome.Stored stored)
                access.Return(stored.Value, _world.Now);
            else if (change.Outcome is RegisterChangeOutcome.Refused refused)
                access.Return(refused.Current, _world.Now);
        });
    }

    private History.Access Read(SimulatedNode node, string? key = null)
    {
        var access = _history.BeginAccess(key ?? RandomKey(), ++_operation, appends: false, _world.Now);
        var read = new RegisterRead(
            node.Directory.Of(Tile)!, access.Key, node.Ballots, Patience, _world.Random.Next(), _setup.Rules);
        node.Run(read, _ =>
        {
            if (read.Outcome is RegisterReadOutcome.Agreed agreed && access.Returned is null)
                access.Return(agreed.Value, _world.Now);
        });
        return access;
    }

    private void Add(SimulatedNode node)
    {
        var id = ++_operation;
        var message = _history.BeginAdd("mbox", id);
        var add = new SetAdd(
            node.Directory.Of(Tile)!, "mbox", new SetMessage(new MessageId(id), new byte[] { 1 }), _setup.Options,
            _world.Random.Next());
        node.Run(add, _ =>
        {
            if (add.Outcome is SetAddOutcome.Stored)
                message.Stored ??= _world.Now;
        });
    }

    private History.Reading Scan(SimulatedNode node)
    {
        var reading = _history.BeginReading("mbox", _world.Now);
        var scan = new SetScan(node.Directory.Of(Tile)!, "mbox", Patience, _world.Random.Next());
        node.Run(scan, effects =>
        {
            reading.Take(effects);
            if (scan.Outcome is SetScanOutcome.Complete)
                reading.Returned ??= _world.Now;
        });
        return reading;
    }

    private void Acknowledge(SimulatedNode node)
    {
        var stored = _history.StoredMessages.ToArray();
        if (stored.Length == 0)
            return;
        var (set, id) = _world.Random.Pick(stored);
        var message = _history.MessageOf(set, id);
        message.Burying ??= _world.Now;
        var acknowledge = new SetAcknowledge(
            node.Directory.Of(Tile)!, set, [new MessageId(id)], _setup.Options, _world.Random.Next());
        node.Run(acknowledge, _ =>
        {
            if (acknowledge.Outcome is SetAcknowledgeOutcome.Stored)
                message.Buried ??= _world.Now;
        });
    }

    private string RandomKey() => _world.Random.Chance(0.8) ? "acct/a" : "acct/b";

    /// <summary>Somebody wants other members; often it is not the steward, and often it is not alone.</summary>
    private void ChangeMembers()
    {
        var wanted = _world.Random.Sample(_setup.Ids, Copies).ToImmutableArray();
        if (_world.Random.Chance(0.5))
            _setup.Preferred = wanted;
        var node = _nodes[_world.Random.Pick(_world.Running.ToArray())];
        var configuration = node.Directory.Of(Tile)!;
        if (_bug == PlantedBug.ConfigurationWithoutDecision)
        {
            Impose(node, configuration, wanted);
            return;
        }

        var change = new EpochChange(configuration, wanted, node.Ballots, _setup.Options, _world.Random.Next());
        node.Run(change, _ =>
        {
            if (change.Outcome is EpochChangeOutcome.Decided decided)
                Decided(decided.Next);
        });
    }

    /// <summary>The planted bug "the ring says so": members are told without having agreed.</summary>
    private static void Impose(SimulatedNode node, TileConfiguration configuration, ImmutableArray<NodeId> wanted)
    {
        var news = new ReplicaRequest.NewConfiguration(configuration.Next(wanted), configuration);
        foreach (var member in wanted.Union(configuration.Members))
            node.Tell(member, news);
    }

    private void CrashOrRestart()
    {
        var node = _world.Random.Below(NodeCount);
        if (!_world.IsUp(node))
            _nodes[node].Restart();
        else if (_world.Running.Count() > 3)
            _nodes[node].Crash();
    }

    private void CutOrHeal()
    {
        if (!_world.Network.IsWhole)
        {
            _world.Network.Heal();
            return;
        }

        var side = _world.Nodes.Where(_ => _world.Random.Chance(0.5)).ToArray();
        _world.Network.Split(side, _world.Nodes.Except(side), oneWay: _world.Random.Chance(0.3));
    }

    /// <summary>One configuration per epoch, whoever says so.</summary>
    private void Decided(TileConfiguration next)
    {
        if (!_chain.TryAdd(next.Epoch, next) && _chain[next.Epoch] != next)
            _fault ??= $"epoch {next.Epoch} has two configurations: {_chain[next.Epoch]} and {next}";
    }

    private void Observe(int node, TileHeader header)
    {
        _world.Note(node, $"is {header.Phase} {header.Configuration}, pending {header.Pending}");
        if (header.Pending is not null || header.Phase is TilePhase.Active or TilePhase.Learning)
            Decided(header.Newest);
    }

    /// <summary>After the healing everything must work again: the tile settles, and a reading has all that was
    /// stored.</summary>
    private string? FinalFault()
    {
        if (!_world.RunUntil(IsSettled, TimeSpan.FromSeconds(120)))
            return $"not settled: {string.Join("; ", _nodes.SelectMany(node => node.Replica.Headers).Select(Text))}";
        foreach (var node in _nodes)
            if (!Enumerable.Range(0, 3).Any(_ => IsReadable(node)))
                return $"unreadable at n{Array.IndexOf(_nodes, node) + 1} after everything had healed";
        return null;
    }

    /// <summary>One try: a node with an old hint needs some to find the members.</summary>
    private bool IsReadable(SimulatedNode node)
    {
        var reading = Scan(node);
        var a = Read(node, "acct/a");
        var b = Read(node, "acct/b");
        return _world.RunUntil(
            () => reading.Returned is not null && a.Returned is not null && b.Returned is not null,
            TimeSpan.FromSeconds(10));
    }

    private static string Text(TileHeader header) => $"{header.Phase} {header.Configuration}";

    /// <summary>All members of the newest configuration answer, and no leaver still waits.</summary>
    private bool IsSettled()
    {
        if (_fault is not null)
            return true;
        var headers = _nodes.Select(node => node.Replica.Header(Tile)).ToArray();
        var newest = headers.Aggregate((TileConfiguration?)null, (best, header) =>
            header is not null && header.Newest.IsNewerThan(best) ? header.Newest : best)!;
        return newest.Members.All(member => headers[_setup.NumberOf(member)] is { Phase: TilePhase.Active } header
                && header.Configuration == newest)
            && headers.All(header => header is null or { Phase: TilePhase.Retired or TilePhase.Active });
    }
}
