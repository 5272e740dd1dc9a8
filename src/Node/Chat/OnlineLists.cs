using ChordChat.Core.Chat;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Chat;

/// <summary>What each node says of the people who are connected to it, made into one list.</summary>
/// <remarks>docs/protocol.md#presence: a node can say of anybody that he is there, but hide nobody.</remarks>
internal sealed class OnlineLists
{
    private readonly Dictionary<string, List<Lease>> _claims = [];

    /// <summary>Takes in what a node says: of itself, and of names that somebody can have.</summary>
    public void Add(NodeId node, IEnumerable<Lease> told, int max)
    {
        foreach (var lease in told.Where(lease => lease.Node == node && UserName.IsValid(lease.User))
            .DistinctBy(lease => lease.User).Take(max))
        {
            if (!_claims.TryGetValue(lease.User, out var ofUser))
                _claims[lease.User] = ofUser = new(1);
            ofUser.Add(lease);
        }
    }

    /// <summary>People who are said to be at more than one node.</summary>
    public IEnumerable<string> Disputed => _claims.Where(claim => claim.Value.Count > 1).Select(claim => claim.Key);

    /// <summary>At most so many people, in the order of their names.</summary>
    /// <param name="settled">Where those of <see cref="Disputed"/> are who could be asked about. The others of them are
    /// online, but nobody has shown where: not who claims fewer people, nor who names the larger session.</param>
    public IReadOnlyList<Lease> Merge(IReadOnlyDictionary<string, Lease> settled, int max)
    {
        var all = _claims.Select(claim => settled.GetValueOrDefault(claim.Key)
            ?? (claim.Value is [var only] ? only : Somewhere(claim.Key)));
        if (_claims.Count > max)
            all = Turns().OrderBy(turn => turn.Value).ThenBy(turn => turn.Key, StringComparer.Ordinal).Take(max)
                .Join(all, turn => turn.Key, lease => lease.User, (_, lease) => lease);
        return [.. all.OrderBy(lease => lease.User, StringComparer.Ordinal)];
    }

    private static Lease Somewhere(string user) => new(user, 0, default, 0);

    /// <summary>When there are too many, the nodes have turns: the names that one makes up take no place from those of
    /// others. Whoever is claimed by several comes with the first of them.</summary>
    private Dictionary<string, int> Turns()
    {
        var turns = new Dictionary<string, int>();
        var ofNodes = _claims.OrderBy(claim => claim.Key, StringComparer.Ordinal)
            .SelectMany(claim => claim.Value).GroupBy(lease => lease.Node);
        foreach (var (turn, lease) in ofNodes.SelectMany(ofNode => ofNode.Index()))
            turns[lease.User] = Math.Min(turn, turns.GetValueOrDefault(lease.User, int.MaxValue));
        return turns;
    }
}
