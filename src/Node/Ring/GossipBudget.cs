using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Ring;

/// <summary>How many records about others a node takes in from one member: so many at once, and as many again in each
/// minute. Not safe for threads.</summary>
/// <remarks>docs/protocol.md#ring-gossip. Each change costs a walk over the whole cache, and one that lies can change
/// what it made up as often as it likes.</remarks>
internal sealed class GossipBudget
{
    /// <summary>Two whole caches: a member is asked for one at a start, and after beliefs differed.</summary>
    public const int AtOnceMax = 8_192;

    /// <summary>Members whose records are counted.</summary>
    public const int SendersMax = 4_096;

    private static readonly TimeSpan RefilledIn = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Each = RefilledIn / AtOnceMax;

    private readonly Dictionary<NodeId, TimeSpan> _fullAt = [];

    /// <summary>Members whose records are counted now.</summary>
    public int SenderCount => _fullAt.Count;

    /// <summary>Those of the records that are taken in: the first ones.</summary>
    /// <param name="from">Who sent them, as its certificate says.</param>
    /// <param name="now">Of any clock that only goes forward.</param>
    public ImmutableArray<Member> Take(NodeId from, ImmutableArray<Member> told, TimeSpan now)
    {
        if (told.IsEmpty)
            return told;
        if (_fullAt.Count >= SendersMax && !_fullAt.ContainsKey(from))
            Forget(now);
        var fullAt = _fullAt.GetValueOrDefault(from);
        fullAt = fullAt > now ? fullAt : now;
        var count = Math.Min(told.Length, (int)((now + RefilledIn - fullAt) / Each));
        _fullAt[from] = fullAt + (count * Each);
        return count < told.Length ? told[..count] : told;
    }

    /// <summary>Who may send everything again needs no entry. If that is nobody, all begin anew.</summary>
    private void Forget(TimeSpan now)
    {
        foreach (var (sender, fullAt) in _fullAt)
            if (fullAt <= now)
                _fullAt.Remove(sender);
        if (_fullAt.Count >= SendersMax)
            _fullAt.Clear();
    }
}
