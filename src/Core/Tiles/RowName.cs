using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Names of registers and sets: kind/key, and perhaps more.</summary>
/// <remarks>docs/protocol.md#tile-split. A name alone says where on the circle its row belongs, so that whoever holds
/// the row can cut its tile in two.</remarks>
public static class RowName
{
    private const string AccountKind = "acct";

    /// <summary>Whether the rows that a request names can be there at all.</summary>
    /// <remarks>docs/protocol.md#names-of-rows.</remarks>
    public static bool IsKnown(ReplicaRequest request, IValueRules rules) => request switch
    {
        ReplicaRequest.Prepare prepare => rules.HasRegister(prepare.Key),
        ReplicaRequest.Accept accept => rules.HasRegister(accept.Key),
        ReplicaRequest.Peek peek => rules.HasRegister(peek.Key),
        ReplicaRequest.Add add => rules.HasSet(add.Set),
        ReplicaRequest.Acknowledge acknowledge => rules.HasSet(acknowledge.Set),
        ReplicaRequest.Scan scan => rules.HasSet(scan.Set),
        ReplicaRequest.GetAges ages => rules.HasSet(ages.Set),
        ReplicaRequest.Forget forget => rules.HasSet(forget.Set),
        _ => true, // Names no row.
    };

    /// <summary>The point of kind and key; what follows them does not count. Sessions and key logs lie with their
    /// account.</summary>
    public static RingId PointOf(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var kind = slash < 0 ? name : name[..slash];
        var key = slash < 0 ? "" : name[(slash + 1)..];
        var end = key.IndexOf('/', StringComparison.Ordinal);
        return RingId.OfKey(kind is "sess" or "keylog" ? AccountKind : kind, end < 0 ? key : key[..end]);
    }
}
