using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Ring;

/// <summary>How much news of members goes into the log and the event list: one that lies can make up news of anybody
/// without end. So much of one member and so much in all. Not safe for threads.</summary>
internal sealed class NewsBudget
{
    /// <summary>Lines a minute of one member: some restarts.</summary>
    public const int OfMemberMax = 20;

    /// <summary>Lines a minute in all: a large cluster that starts.</summary>
    public const int InAllMax = 500;

    private const int MembersMax = 4_096;

    private readonly Dictionary<NodeId, LineBudget> _ofMember = [];
    private readonly LineBudget _inAll = new(InAllMax);
    private long _unsaid;

    /// <summary>Whether this piece of news is told.</summary>
    /// <param name="now">Milliseconds of any clock that only goes forward.</param>
    /// <param name="unsaid">Pieces that were not, since the last one that was.</param>
    public bool Allows(NodeId member, long now, out long unsaid)
    {
        if (!_ofMember.TryGetValue(member, out var budget))
        {
            if (_ofMember.Count >= MembersMax)
                _ofMember.Clear();
            _ofMember[member] = budget = new(OfMemberMax);
        }

        if (!budget.Allows(now, out _) || !_inAll.Allows(now, out _))
        {
            unsaid = 0;
            _unsaid++;
            return false;
        }

        (unsaid, _unsaid) = (_unsaid, 0);
        return true;
    }
}
