namespace ChordChat.Tests.Simulation.World;

/// <summary>Nodes, a network and virtual time, all driven by one seed on one thread: a run can be repeated
/// exactly.</summary>
/// <remarks>
/// Nodes are numbered from 0 and named n1, n2, ... A node is whatever takes its messages; what it keeps in memory is
/// its own business at a crash (see <see cref="Disk"/>). Nothing in a world may depend on time of day, on hash codes
/// that differ between processes, or on the order of a set of references.
/// </remarks>
public sealed class SimulatedWorld<TMessage>(ulong seed)
    where TMessage : notnull
{
    private readonly PriorityQueue<Happening, (TimeSpan At, long Order)> _queue = new();
    private readonly List<Node> _nodes = [];
    private long _order;

    public ulong Seed => seed;

    public Prng Random { get; } = new(seed);

    public Network Network { get; } = new();

    public Trace Trace { get; } = new();

    public TimeSpan Now { get; private set; }

    public long NowMs => Now.Ticks / TimeSpan.TicksPerMillisecond;

    public int NodeCount => _nodes.Count;

    /// <summary>Messages that were handed to a running node.</summary>
    public long Delivered { get; private set; }

    public IEnumerable<int> Nodes => Enumerable.Range(0, _nodes.Count);

    public IEnumerable<int> Running => Nodes.Where(IsUp);

    /// <summary>Adds a running node and returns its number.</summary>
    /// <param name="receive">Gets the sender's number and the message.</param>
    public int Add(Action<int, TMessage> receive)
    {
        _nodes.Add(new Node { Receive = receive });
        return _nodes.Count - 1;
    }

    public bool IsUp(int node) => _nodes[node].Up;

    /// <summary>Sends a message; it may be lost, late, doubled or overtaken. A node's messages to itself are
    /// exact.</summary>
    public void Send(int from, int to, TMessage message)
    {
        if (!IsUp(from))
            return;
        if (from == to)
        {
            Later(TimeSpan.FromTicks(100), new Happening(from, _nodes[from].Life, () => Deliver(from, to, message)));
            return;
        }

        var copies = Random.Chance(Network.Loss) ? 0 : Random.Chance(Network.Duplication) ? 2 : 1;
        if (copies == 0)
            Trace.Add(Now, "lost", from, to, message);
        for (var i = 0; i < copies; i++)
            Later(Network.Delay(Random), new Happening(-1, 0, () => Deliver(from, to, message)));
    }

    /// <summary>Runs something at a node after a while, unless the node has crashed by then.</summary>
    public void After(int node, TimeSpan delay, Action action) =>
        Later(delay, new Happening(node, _nodes[node].Life, action));

    /// <summary>Runs something that belongs to no node: the fault script, the clients.</summary>
    public void After(TimeSpan delay, Action action) => Later(delay, new Happening(-1, 0, action));

    /// <summary>Stops a node: its timers die, and messages to it are lost until it is started again.</summary>
    public void Crash(int node)
    {
        var state = _nodes[node];
        (state.Up, state.Life) = (false, state.Life + 1);
        Trace.Add(Now, "crash", node, -1, null);
    }

    /// <summary>Starts a crashed node again, with a new life for its timers.</summary>
    /// <param name="receive">Replaces the handler when given.</param>
    public void Restart(int node, Action<int, TMessage>? receive = null)
    {
        var state = _nodes[node];
        (state.Up, state.Receive) = (true, receive ?? state.Receive);
        Trace.Add(Now, "restart", node, -1, null);
    }

    /// <summary>Puts a line of one's own into the trace.</summary>
    public void Note(int node, string what) => Trace.Add(Now, "note", node, -1, what);

    public void Run(TimeSpan duration) => RunUntil(() => false, duration);

    /// <summary>Runs until the condition holds. False when <paramref name="limit"/> of virtual time passed
    /// first.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        var end = Now + limit;
        while (!condition())
        {
            if (!_queue.TryPeek(out _, out var next) || next.At > end)
            {
                Now = end;
                return condition();
            }

            var happening = _queue.Dequeue();
            Now = next.At;
            if (happening.Node < 0 || (_nodes[happening.Node].Life == happening.Life && IsUp(happening.Node)))
                happening.Action();
        }

        return true;
    }

    /// <summary>The text of a failed run: the seed first, the last events at the end.</summary>
    public string Failure(string what) => $"seed {seed}: {what}\n{Trace}";

    private void Deliver(int from, int to, TMessage message)
    {
        var lost = !IsUp(to) || Network.IsCut(from, to);
        Trace.Add(Now, lost ? "cut off" : "message", from, to, message);
        if (lost)
            return;
        Delivered++;
        _nodes[to].Receive(from, message);
    }

    private void Later(TimeSpan delay, Happening happening) => _queue.Enqueue(happening, (Now + delay, _order++));

    private readonly record struct Happening(int Node, int Life, Action Action);

    private sealed class Node
    {
        public required Action<int, TMessage> Receive { get; set; }
        public bool Up { get; set; } = true;
        public int Life { get; set; }
    }
}
