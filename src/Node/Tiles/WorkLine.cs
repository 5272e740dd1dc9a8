using ChordChat.Core.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>What waits for the writer: of each caller in its order, and of the callers whoever has used least time
/// first, so that nobody's requests, however costly, delay those of others for long.</summary>
/// <remarks>docs/protocol.md#writers-time. Start-time fair queueing (Goyal, Vin and Cheng, 1996), with measured costs.
/// Not safe for threads.</remarks>
/// <param name="perCallerMax">How much of one caller may wait; of <paramref name="own"/>, as much as there is.</param>
internal sealed class WorkLine<TWork>(NodeId own, int perCallerMax, int max)
{
    private sealed class Caller
    {
        public Queue<TWork> Waiting { get; } = [];

        /// <summary>What was taken and put back, the first of them on top; before all that waits.</summary>
        public Stack<TWork> Back { get; } = [];

        public int Count => Waiting.Count + Back.Count;

        /// <summary>The time that it has used, or has been passed over for.</summary>
        public long Used { get; set; }

        /// <summary>What its requests in hand are likely to use.</summary>
        public long Ahead { get; set; }

        public long Turn => Used + Ahead;

        /// <summary>What one of its requests costs, as far as seen.</summary>
        public long Cost { get; set; } = 1;
    }

    private readonly Dictionary<NodeId, Caller> _callers = [];
    private readonly PriorityQueue<Caller, long> _next = new();

    /// <summary>What the caller that is served next had used: nobody who comes now is further behind.</summary>
    private long _floor;

    /// <summary>How much waits.</summary>
    public int Count { get; private set; }

    /// <summary>Callers that are remembered: those that wait, and those that have used more than their share.</summary>
    public int CallerCount => _callers.Count;

    /// <summary>False when there is no room.</summary>
    public bool TryAdd(NodeId caller, TWork work)
    {
        if (Count >= max)
            return false;
        if (!_callers.TryGetValue(caller, out var line))
            _callers[caller] = line = new Caller { Used = _floor };
        if (line.Count >= perCallerMax && caller != own)
            return false;
        if (line.Count == 0)
        {
            line.Used = Math.Max(line.Used, _floor - line.Ahead);
            _next.Enqueue(line, line.Turn);
        }

        line.Waiting.Enqueue(work);
        Count++;
        return true;
    }

    /// <summary>Puts back what was taken last and not carried out; the last one first.</summary>
    public void PutBack(NodeId caller, TWork work)
    {
        if (!_callers.TryGetValue(caller, out var line))
            _callers[caller] = line = new Caller { Used = _floor };
        line.Ahead = 0;
        if (line.Count == 0)
            _next.Enqueue(line, line.Turn);
        line.Back.Push(work);
        Count++;
    }

    /// <summary>Takes the next ones, at most so many, and until they are likely to cost so much.</summary>
    public void Take(List<TWork> taken, int count, long cost)
    {
        while (count > 0 && cost > 0 && _next.TryDequeue(out var line, out var turn))
        {
            if (turn < line.Turn)
            {
                _next.Enqueue(line, line.Turn); // Its last ones took longer than was to be expected.
                continue;
            }

            _floor = Math.Max(_floor, turn);
            taken.Add(line.Back.TryPop(out var first) ? first : line.Waiting.Dequeue());
            Count--;
            count--;
            line.Ahead += line.Cost;
            cost -= line.Cost;
            if (line.Count > 0)
                _next.Enqueue(line, line.Turn);
        }
    }

    /// <summary>What each of the requests that were taken last has cost, in any unit of time.</summary>
    /// <remarks>Before the next are taken.</remarks>
    public void Charge(NodeId caller, long cost)
    {
        if (!_callers.TryGetValue(caller, out var line))
            return;
        line.Used += Math.Max(1, cost);
        line.Ahead = 0;
        line.Cost = Math.Max(1, (7 * line.Cost + cost) / 8);
    }

    /// <summary>Forgets whoever waits for nothing, has nothing in hand and has used no more than others.</summary>
    public void Sweep()
    {
        foreach (var (caller, line) in _callers)
            if (line.Count == 0 && line.Ahead == 0 && line.Used <= _floor)
                _callers.Remove(caller);
    }
}
