using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles;

/// <summary>Where a replica keeps its rows. Synchronous; the host wraps a transaction around one or many
/// requests.</summary>
/// <remarks>
/// All calls come from one thread at a time. What was written is visible at once to later calls, durable when the
/// host's commit has returned, and only then may the host send the replies. After a failed commit the process must
/// end: the replica's cached headers would say what the disk does not.
/// Names are ASCII and ordered byte by byte.
/// </remarks>
public interface IReplicaStore
{
    /// <summary>All headers ever put and not replaced; read once at start.</summary>
    IEnumerable<TileHeader> Headers();

    void PutHeader(TileHeader header);

    /// <summary>The row, or the default when there is none.</summary>
    /// <exception cref="DamagedTileException">It is not what was written; so for the reads below.</exception>
    RegisterRow GetRegister(TileId tile, string key);

    void PutRegister(TileId tile, string key, RegisterRow row);

    /// <summary>Inserts a message unless its id is buried, present, or the set is at its limit, in that
    /// order.</summary>
    /// <param name="nowMs">Running time; kept to tell the row's age, never for order.</param>
    SetInsert Insert(TileId tile, string name, SetMessage message, long nowMs, SetLimits limits);

    /// <summary>Puts a tombstone in place of the message, or where it would be. Doing it twice is doing it
    /// once.</summary>
    SetBurial Bury(TileId tile, string name, MessageId id, long nowMs);

    /// <summary>Messages (no tombstones) with an arrival larger than <paramref name="after"/>, by arrival; at most
    /// <paramref name="rowsMax"/> of them, and no more once <paramref name="bytesMax"/> of content are
    /// reached.</summary>
    /// <returns><c>Next</c>: the arrival of the last one (or <paramref name="after"/>).</returns>
    ReplicaReply.Scanned Scan(TileId tile, string name, long after, int rowsMax, int bytesMax);

    /// <summary>Rows of the tile after <paramref name="after"/>: first registers by key, then set entries by (set, id),
    /// until <paramref name="bytesMax"/> are reached; at least one row unless there is none. Registers that never
    /// accepted anything are left out.</summary>
    TilePage ReadPage(TileId tile, TileCursor after, int bytesMax);

    /// <summary>The next rows behind a place, in the order of <see cref="ReadPage"/>, by name and state only; fewer
    /// than <paramref name="count"/> only at the end. Registers that never accepted anything are left out.</summary>
    IReadOnlyList<RowStamp> ReadStamps(TileId tile, TileCursor after, int count);

    /// <summary>A message or tombstone, or null when there is neither.</summary>
    TransferredEntry? GetEntry(TileId tile, string name, MessageId id);

    /// <summary>Gives every row of the tile to the half that holds the point of its name; arrivals stay as they are.
    /// A row that is damaged stays damaged.</summary>
    /// <remarks>docs/protocol.md#tile-split.</remarks>
    void SplitRows(TileId tile);

    /// <summary>The next set entries behind a place (which is among the entries, or the default), in the order of
    /// <see cref="ReadPage"/>; fewer than <paramref name="count"/> only at the end.</summary>
    IReadOnlyList<EntryStamp> ReadEntryStamps(TileId tile, TileCursor after, int count);

    /// <summary>Deletes a tombstone; a message stays.</summary>
    /// <returns>Whether there was one.</returns>
    bool Forget(TileId tile, string name, MessageId id);

    /// <summary>Deletes all registers and set entries of the tile, tombstones too; not its header.</summary>
    void DropRows(TileId tile);
}

/// <summary>What became of an insert.</summary>
/// <param name="Arrival">For added and present: larger for each later arrival at this replica, starting above
/// 0.</param>
public readonly record struct SetInsert(SetInsertResult Result, long Arrival);

/// <summary>What a burial has replaced.</summary>
public enum SetBurial
{
    /// <summary>The tombstone was there already.</summary>
    Nothing = 0,

    /// <summary>There was neither: the tombstone came first.</summary>
    Absence = 1,

    Message = 2,
}

public enum SetInsertResult
{
    Added = 0,
    Present = 1,
    Buried = 2,
    Full = 3,
}
