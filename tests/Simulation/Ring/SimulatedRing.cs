using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>A ring of nodes in a simulated world. Node numbers are the world's; positions are the test's.</summary>
internal sealed class SimulatedRing(ulong seed, RingOptions options, RingStep? step = null)
{
    private readonly List<SimulatedNode> _nodes = [];
    private readonly List<Peer> _peers = [];
    private readonly Dictionary<NodeId, int> _numbers = [];

    public SimulatedWorld<RingMessage> World { get; } = new(seed);

    public RingOptions Options => options;

    /// <summary>What the last RingRead was answered.</summary>
    public RingAnswer? Revealed { get; set; }

    /// <summary>Called whenever a node's list, predecessor or phase changed.</summary>
    public Action<SimulatedNode>? OnChanged { get; set; }

    /// <summary>Called after every step.</summary>
    public Action<SimulatedNode, RingInput, ImmutableArray<RingEffect>>? OnStep { get; set; }

    public IReadOnlyList<Peer> Peers => _peers;

    public IEnumerable<SimulatedNode> Running => _nodes.Where(node => World.IsUp(node.Number));

    public IEnumerable<SimulatedNode> Members => Running.Where(node => node.Ring.Phase is RingPhase.Member);

    public SimulatedNode this[int number] => _nodes[number];

    public SimulatedNode this[Peer peer] => _nodes[NumberOf(peer)];

    public Peer PeerOf(int number) => _peers[number];

    public int NumberOf(Peer peer) => _numbers[peer.Node];

    /// <summary>Adds a node that has no place yet; it is started by the caller.</summary>
    public SimulatedNode Add(UInt128 position)
    {
        var number = _nodes.Count;
        var peer = new Peer(
            new NodeId(0, (UInt128)number + 1), new RingId(position), $"n{number + 1}", $"host{number + 1}:7401");
        _peers.Add(peer);
        _numbers.Add(peer.Node, number);
        var node = New(number, RingState.Starting(peer, options));
        _nodes.Add(node);
        World.Add((from, message) => _nodes[number].Receive(from, message));
        return node;
    }

    /// <summary>A crashed node starts again with nothing but its name.</summary>
    public SimulatedNode Restart(int number)
    {
        World.Restart(number);
        return _nodes[number] = New(number, RingState.Starting(_peers[number], options));
    }

    /// <summary>Adds nodes that already stand in an exact ring.</summary>
    /// <param name="cache">Gives each its membership cache, once all peers are known; null: none has one.</param>
    /// <param name="windings">Larger than 1: first successors wind so often round the circle before they meet all; it
    /// must have no divisor in common with the number of nodes.</param>
    public void AddExact(
        IEnumerable<UInt128> positions, Func<Peer, MembershipState>? cache = null, int windings = 1)
    {
        foreach (var position in positions)
            Add(position);
        var circle = _peers.OrderBy(peer => peer.Position).ToList();
        var order = Enumerable.Range(0, circle.Count).Select(i => circle[i * windings % circle.Count]).ToList();
        for (var i = 0; i < order.Count; i++)
        {
            var number = NumberOf(order[i]);
            _nodes[number] = New(number, RingState.Starting(order[i], options) with
            {
                Phase = RingPhase.Member,
                Predecessor = order[(i + order.Count - 1) % order.Count],
                Successors = [.. Enumerable.Range(1, Math.Min(options.SuccessorCount, order.Count - 1))
                    .Select(k => order[(i + k) % order.Count])],
            });
            _nodes[number].Cache = cache?.Invoke(order[i]);
            _nodes[number].Start();
        }
    }

    public TimeSpan Soon(TimeSpan within) => World.Random.Between(TimeSpan.FromMilliseconds(10), within);

    public void Changed(SimulatedNode node) => OnChanged?.Invoke(node);

    public void Saw(SimulatedNode node, RingInput input, ImmutableArray<RingEffect> effects) =>
        OnStep?.Invoke(node, input, effects);

    private SimulatedNode New(int number, RingState state) => new(this, number, state, step ?? RingProtocol.Step);
}
