namespace ChordChat.Node.Storage;

/// <summary>A row that decides what this node may promise does not match its checksum. The node must not go
/// on.</summary>
internal sealed class DamagedRowException(string row) : Exception(
    $"the row {row} in this node's database is damaged. This node may have forgotten a promise and must not answer "
    + "for it any more: move its data folder away and let it join again as a new node (docs/operations.md, A damaged "
    + "row)");
