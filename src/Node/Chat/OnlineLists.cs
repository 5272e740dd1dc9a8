using ChordChat.Core.Chat;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Chat;

/// <summary>What each node says of the people who are connected to it, made into one list.</summary>
/// <remarks>docs/protocol.md#presence: a node can say of anybody that he is there, but hide nobody.</remarks>
internal sealed class OnlineLists
{
    private readonly Dictionary<string, List<Lease>> _claims = [];
    private readonly Dictionary<NodeId, int> _saidCount = [];

    /// <summary>Takes in what a node says: of itself, and of names that somebody can have.</summary>
    public void Add(NodeId node, IEnumerable<Lease> told, int max)
    {
        foreach (var lease in told.Where(lease => lease.Node == node && UserName.IsValid(lease.User))
            .DistinctBy(lease => lease.User).Take(max))
        {
            if (!_claims.TryGetValue(lease.User, out var ofUser))
                _claims[lease.User] = ofUser = new(1);
            ofUser.Add(lease);
            _saidCount[node] = _saidCount.GetValueOrDefault(node) + 1;
        }
    }

    /// <summary>People who are said to be at more than one node.</summary>
    public IEnumerable<string> Disputed => _claims.Where(claim => claim.Value.Count > 1).Select(claim => claim.Key);

    /// <summary>At most so many people, in the order of their names.</summary>
    /// <param name="settled">Where those of <see cref="Disputed"/> are who could be asked about. Of the others that
    /// node is believed whose word is disputed least; of two that dispute each other, the one that names fewer people,
    /// or made-up names could push real ones out.</param>
    /// <remarks>When there are more, the nodes have turns: the names that one makes up take no place from those of
    /// others.</remarks>
    public IReadOnlyList<Lease> Merge(IReadOnlyDictionary<string, Lease> settled, int max)
    {
        var disputes = _claims.Values.Where(ofUser => ofUser.Count > 1).SelectMany(ofUser => ofUser)
            .CountBy(lease => lease.Node).ToDictionary();
        var all = _claims.Select(claim => settled.GetValueOrDefault(claim.Key) ?? (claim.Value is [var only]
            ? only
            : claim.Value.OrderBy(lease => disputes[lease.Node]).ThenBy(lease => _saidCount[lease.Node])
                .ThenByDescending(lease => lease.Session).First()));
        var byName = all.OrderBy(lease => lease.User, StringComparer.Ordinal).ToArray();
        return byName.Length <= max ? byName :
        [
            .. byName.GroupBy(lease => lease.Node).SelectMany(ofNode => ofNode.Index())
                .OrderBy(place => place.Index).ThenBy(place => place.Item.User, StringComparer.Ordinal)
                .Take(max).Select(place => place.Item).OrderBy(lease => lease.User, StringComparer.Ordinal),
        ];
    }
}
