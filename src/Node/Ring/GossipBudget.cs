using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Ring;

/// <summary>How many records about others a node takes in from one member: so many at once, and as many again in each
/// minute. Not safe for threads.</summary>
/// <remarks>docs/protocol.md#ring-gossip. Each change costs a walk over the whole cache, and one that lies can change
/// what it made up as often as it likes.</remarks>
internal sealed class GossipBudget
{
    /// <summary>Two whole caches: a member is asked for one at a start, and after beliefs differed.</summary>
    public const int AtOnceMax = 8_192;

    private readonly MemberBudget _records = new(AtOnceMax, TimeSpan.FromMinutes(1) / AtOnceMax);

    /// <summary>Members whose records are counted now.</summary>
    public int SenderCount => _records.Count;

    /// <summary>Those of the records that are taken in: the first ones.</summary>
    /// <param name="from">Who sent them, as its certificate says.</param>
    /// <param name="now">Of any clock that only goes forward.</param>
    public ImmutableArray<Member> Take(NodeId from, ImmutableArray<Member> told, TimeSpan now)
    {
        if (told.IsEmpty)
            return told;
        var count = _records.Take(from, told.Length, now);
        return count < told.Length ? told[..count] : told;
    }
}
