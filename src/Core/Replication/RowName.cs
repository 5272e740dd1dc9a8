using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Names of registers and sets: kind/key, and perhaps more.</summary>
/// <remarks>docs/protocol.md#tile-split. A name alone says where on the circle its row belongs, so that whoever holds
/// the row can cut its tile in two.</remarks>
public static class RowName
{
    private const string AccountKind = "acct";

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
