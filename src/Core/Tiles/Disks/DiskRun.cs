namespace ChordChat.Core.Tiles.Disks;

/// <summary>One start of a node, as its disk remembers it.</summary>
/// <param name="Incarnation">Its number, from 1.</param>
/// <param name="BootNonce">Random at each start, so that two starts with one number are told apart.</param>
/// <param name="Found">How many commits the disk held before it.</param>
public readonly record struct DiskRun(ulong Incarnation, ulong BootNonce, ulong Found);

/// <summary>How far another node has seen a disk get.</summary>
/// <param name="Incarnation">The start that was seen.</param>
/// <param name="BootNonce">Of that start.</param>
/// <param name="DurableSeq">The commits that the disk held then, at least.</param>
public readonly record struct DiskSighting(ulong Incarnation, ulong BootNonce, ulong DurableSeq);

/// <summary>What becomes of a node whose disk is compared with what was seen of it.</summary>
public enum DiskVerdict
{
    /// <summary>The disk has everything that was seen of it.</summary>
    Whole,

    /// <summary>Commits or a start that were seen are missing: an older copy was put back.</summary>
    RolledBack,

    /// <summary>The same start was seen with another nonce: two copies of one folder have both been started.</summary>
    Copied,
}
