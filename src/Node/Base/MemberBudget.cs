using ChordChat.Core.Ring;

namespace ChordChat.Node.Base;

/// <summary>Lets each member have so many of something at once after a rest, and gives them back one by one. Not safe
/// for threads.</summary>
/// <param name="each">How long it takes to give one back.</param>
internal sealed class MemberBudget(int atOnceMax, TimeSpan each)
{
    /// <summary>Members that are counted.</summary>
    public const int MembersMax = 4_096;

    private readonly Dictionary<NodeId, TimeSpan> _fullAt = [];

    /// <summary>Members that are counted now.</summary>
    public int Count => _fullAt.Count;

    /// <summary>How many of the wanted ones the member gets.</summary>
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

    /// <summary>Drops members that have all of theirs back. If there is no such member, all begin anew.</summary>
    private void Forget(TimeSpan now)
    {
        foreach (var (member, fullAt) in _fullAt)
            if (fullAt <= now)
                _fullAt.Remove(member);
        if (_fullAt.Count >= MembersMax)
            _fullAt.Clear();
    }
}
