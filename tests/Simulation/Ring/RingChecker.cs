using ChordChat.Core.Ring;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>What must hold of a whole ring, seen from above; docs/protocol.md, "Ring: state".</summary>
internal sealed class RingChecker
{
    private readonly Dictionary<NodeId, Peer[]> _lists;
    private readonly Dictionary<NodeId, Peer?> _predecessors;
    private readonly Dictionary<NodeId, Peer?> _next;
    private readonly Peer[] _order;
    private readonly int _r;

    public RingChecker(SimulatedRing ring)
        : this(ring.Members.Select(node => node.Ring), ring.Options.SuccessorCount)
    {
    }

    /// <param name="members">The states of all live members.</param>
    /// <param name="successorCount">r.</param>
    public RingChecker(IEnumerable<RingState> members, int successorCount)
    {
        var states = members.ToList();
        _lists = states.ToDictionary(state => state.Self.Node, state => state.Successors.ToArray());
        _predecessors = states.ToDictionary(state => state.Self.Node, state => state.Predecessor);
        _order = [.. states.Select(state => state.Self).OrderBy(peer => peer.Position)];
        _next = _order.ToDictionary(
            peer => peer.Node, peer => _lists[peer.Node].FirstOrDefault(next => _lists.ContainsKey(next.Node)));
        _r = successorCount;
    }

    public int MemberCount => _order.Length;

    /// <summary>Members that no member's extended list skips.</summary>
    public int PrincipalCount => Principals().Count();

    /// <summary>The first thing that breaks Zave's invariant, in words, or null.</summary>
    public string? Fault()
    {
        if (_order.FirstOrDefault(peer => BestOf(peer) is null) is { } lost)
            return $"I1: {lost} has no live successor in {Text(_lists[lost.Node])}";
        if (PrincipalCount < _r + 1)
            return $"I2: {PrincipalCount} principals, {_r + 1} are needed";
        return RingFault() ?? _order.Select(ListFault).FirstOrDefault(fault => fault is not null);
    }

    /// <summary>The first pointer that is not as in an exact ring, in words, or null.</summary>
    public string? Inexactness()
    {
        for (var i = 0; i < _order.Length; i++)
        {
            var self = _order[i];
            var want = Enumerable.Range(1, Math.Min(_r, _order.Length - 1))
                .Select(k => _order[(i + k) % _order.Length]).ToArray();
            if (!_lists[self.Node].SequenceEqual(want))
                return $"{self} has successors {Text(_lists[self.Node])}, expected {Text(want)}";
            var before = _order.Length == 1 ? null : _order[(i + _order.Length - 1) % _order.Length];
            if (_predecessors[self.Node] != before)
                return $"{self} has predecessor {_predecessors[self.Node]}, expected {before}";
        }

        return null;
    }

    /// <summary>Whether the ring can spare a node: with one more live successor each, and one more principal, than
    /// needed.</summary>
    public bool CanSpare(Peer victim)
    {
        if (_order.Length <= _r + 2 || !_lists.ContainsKey(victim.Node))
            return false;
        if (_order.Any(peer => peer != victim && _lists[peer.Node].Count(IsOther) < 2))
            return false;
        var principals = Principals().ToList();
        return !principals.Contains(victim) || principals.Count > _r + 2;
        bool IsOther(Peer peer) => peer != victim && _lists.ContainsKey(peer.Node);
    }

    private IEnumerable<Peer> Principals() => _order.Where(peer => !_order.Any(by => Skips(by, peer)));

    private bool Skips(Peer by, Peer peer)
    {
        var from = by;
        foreach (var to in _lists[by.Node])
        {
            if (RingId.Between(from.Position, peer.Position, to.Position))
                return true;
            from = to;
        }

        return false;
    }

    private Peer? BestOf(Peer peer) => _next[peer.Node];

    private string? RingFault()
    {
        var first = CycleFrom(_order[0]);
        if (_order.Any(peer => !CycleFrom(peer).Contains(first[0])))
            return "two rings";
        foreach (var peer in first)
            if (first.FirstOrDefault(other => RingId.Between(peer.Position, other.Position, BestOf(peer)!.Position))
                is { } passed && passed != peer && passed != BestOf(peer))
                return $"unordered ring: {peer} goes to {BestOf(peer)} past {passed}";
        return null;
    }

    private List<Peer> CycleFrom(Peer start)
    {
        var seen = new List<Peer>();
        var at = start;
        for (; !seen.Contains(at); at = BestOf(at)!)
            seen.Add(at);
        return seen[seen.IndexOf(at)..];
    }

    private string? ListFault(Peer self)
    {
        var list = _lists[self.Node];
        if (list.Contains(self) || list.Distinct().Count() != list.Length)
            return $"{self} has a double in {Text(list)}";
        for (var i = 1; i < list.Length; i++)
            if (!RingId.Between(list[i - 1].Position, list[i].Position, self.Position))
                return $"{self} has an unordered list {Text(list)}";
        return null;
    }

    private static string Text(IEnumerable<Peer> peers) => $"[{string.Join(' ', peers)}]";
}
