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
    private readonly PriorityQueue<Happening, Moment> _queue = new(Comparer<Moment>.Create(static (a, b) =>
        a.At != b.At ? a.At.CompareTo(b.At) : a.Order.CompareTo(b.Order)));
    private readonly List<Node> _nodes = [];
    private long _order;

    public ulong Seed => seed;

    public Prng Random { get; } = new(seed);

    public Network Network { get; } = new();

    public Trace Trace { get; } = new();

    public TimeSpan Now { get; private set; }

    public long NowMs => Now.Ticks / TimeSpan.TicksPerMillisecond;

    public int NodeCount => _nodes.Count;

    /// <summary>Called with each message that goes to another node, lost ones included.</summary>
    public Action<TMessage>? OnSent { get; set; }

    /// <summary>Messages that were handed to a running node.</summary>
    public long Delivered { get; private set; }

    /// <summary>Everything that happened: messages, timers, faults.</summary>
    public long Happened { get; private set; }

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

    public bool IsPaused(int node) => _nodes[node].Held is not null;

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

        OnSent?.Invoke(message);
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
        (state.Up, state.Life, state.Held) = (false, state.Life + 1, null);
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

    /// <summary>Stops a node as SIGSTOP does: it does nothing, and neither timers nor messages are lost.</summary>
    public void Pause(int node)
    {
        if (!IsUp(node) || IsPaused(node))
            return;
        _nodes[node].Held = [];
        Trace.Add(Now, "pause", node, -1, null);
    }

    /// <summary>Lets a paused node go on: all that it missed comes at once, in order.</summary>
    public void Resume(int node)
    {
        if (_nodes[node].Held is not { } held)
            return;
        _nodes[node].Held = null;
        Trace.Add(Now, "resume", node, -1, null);
        foreach (var action in held)
            Later(TimeSpan.Zero, new Happening(node, _nodes[node].Life, action));
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
            Happened++;
            if (happening.Node < 0)
                happening.Action();
            else if (_nodes[happening.Node] is { Up: true } node && node.Life == happening.Life)
                Do(node, happening.Action);
        }

        return true;
    }

    private static void Do(Node node, Action action)
    {
        if (node.Held is null)
            action();
        else
            node.Held.Add(action);
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
        var node = _nodes[to];
        if (node.Held is null)
            node.Receive(from, message);
        else
            node.Held.Add(() => node.Receive(from, message));
    }

    private void Later(TimeSpan delay, Happening happening) => _queue.Enqueue(happening, new(Now + delay, _order++));

    private readonly record struct Moment(TimeSpan At, long Order);

    private readonly record struct Happening(int Node, int Life, Action Action);

    private sealed class Node
    {
        public required Action<int, TMessage> Receive { get; set; }
        public bool Up { get; set; } = true;
        public int Life { get; set; }

        /// <summary>What a paused node has missed; null while it runs.</summary>
        public List<Action>? Held { get; set; }
    }
}
