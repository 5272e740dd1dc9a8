using ChordChat.Core.Ring;

namespace ChordChat.Node.Ring;

/// <summary>So many of something of each member at once after a rest, and as many again while that time passes. Not
/// safe for threads.</summary>
/// <param name="each">How long one of them takes to come back.</param>
internal sealed class MemberBudget(int atOnceMax, TimeSpan each)
{
    /// <summary>Members that are counted.</summary>
    public const int MembersMax = 4_096;

    private readonly Dictionary<NodeId, TimeSpan> _fullAt = [];

    /// <summary>Members that are counted now.</summary>
    public int Count => _fullAt.Count;

    /// <summary>How many of those that are wanted the member gets.</summary>
    /// <param name="now">Of any clock that only goes forward.</param>
    public int Take(NodeId member, int wanted, TimeSpan now)
    {
        if (_fullAt.Count >= MembersMax && !_fullAt.ContainsKey(member))
            Forget(now);
        var fullAt = _fullAt.GetValueOrDefault(member);
        fullAt = fullAt > now ? fullAt : now;
        var taken = Math.Min(wanted, (int)((now + (each * atOnceMax) - fullAt) / each));
        _fullAt[member] = fullAt + (taken * each);
        return taken;
    }

    /// <summary>Whoever has all again needs no entry. If that is nobody, all begin anew.</summary>
    private void Forget(TimeSpan now)
    {
        foreach (var (member, fullAt) in _fullAt)
            if (fullAt <= now)
                _fullAt.Remove(member);
        if (_fullAt.Count >= MembersMax)
            _fullAt.Clear();
    }
}
