using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>Replicas whose messages are handed over by hand, for schedules that chance does not find.</summary>
internal sealed class Workbench
{
    public static readonly TileId Tile = new(0, 0);
    private readonly MemoryReplicaStore[] _stores;
    private readonly Replica[] _replicas;
    private readonly ReplicaRules _rules;

    public Workbench(int nodes, ReplicaRules? rules = null)
    {
        _rules = rules ?? ReplicaRules.Protocol;
        Ids = ClusterSetup.Name(nodes);
        Genesis = Configuration(1, 0, 1, 2);
        _stores = [.. Ids.Select(_ => new MemoryReplicaStore(new Disk()))];
        _replicas = [.. Ids.Select((id, i) => new Replica(id, _stores[i], SetLimits.Default, _rules))];
        foreach (var replica in _replicas)
            replica.Found([Genesis]);
    }

    public ImmutableArray<NodeId> Ids { get; }

    public TileConfiguration Genesis { get; }

    public Replica this[int node] => _replicas[node];

    public TileConfiguration Configuration(ulong epoch, params int[] members) =>
        new(Tile, 0, epoch, [.. members.Select(member => Ids[member])]);

    /// <summary>Loses a node's memory, and what a disk loses that forgets promises.</summary>
    public void RestartForgettingPromises(int node)
    {
        _stores[node].ForgetPromises();
        _replicas[node] = new Replica(Ids[node], _stores[node], SetLimits.Default, _rules);
    }

    /// <summary>Flips a bit in the first register of a node.</summary>
    public void Damage(int node) => _stores[node].Flip(RowKind.Register, 0);

    /// <summary>An append of one entry by a node of its own, whose ballots start above
    /// <paramref name="round"/>.</summary>
    public RegisterChange Append(TileConfiguration at, int node, ulong round, uint entry)
    {
        var ballots = Ballots(at, node, round);
        return new(at, "acct/a", list => History.Append(list.Span, entry), ballots, CoordinatorOptions.Default, 1);
    }

    public RegisterRead Read(TileConfiguration at, int node, ulong round) =>
        new(at, "acct/a", Ballots(at, node, round), CoordinatorOptions.Default, 1, _rules);

    /// <summary>Starts a coordinator; nothing is delivered yet.</summary>
    public static Effect.Send[] Begin(Coordinator coordinator) => [.. coordinator.Start().OfType<Effect.Send>()];

    /// <summary>Delivers the requests that go to these nodes, in order, and their replies; the others are lost. Gives
    /// what the coordinator sends next.</summary>
    public Effect.Send[] Pass(Coordinator coordinator, IEnumerable<Effect.Send> sends, params int[] to)
    {
        var next = new List<Effect.Send>();
        foreach (var send in sends.ToArray())
        {
            var node = Ids.IndexOf(send.To);
            if (!to.Contains(node))
                continue;
            var reply = _replicas[node].Handle(send.Request, send.To, 0);
            next.AddRange(coordinator.On(send.To, send.Request, reply).OfType<Effect.Send>());
        }

        return [.. next];
    }

    /// <summary>Delivers everything to and from these nodes until the coordinator falls silent.</summary>
    public void Finish(Coordinator coordinator, IEnumerable<Effect.Send> sends, params int[] to)
    {
        var next = sends.ToArray();
        while (next.Length > 0)
            next = Pass(coordinator, next, to);
    }

    private BallotSource Ballots(TileConfiguration at, int node, ulong round)
    {
        var ballots = new BallotSource(Ids[node], 1);
        ballots.Next(at.Epoch, new Ballot(at.Epoch, round, default, 0));
        return ballots;
    }
}
