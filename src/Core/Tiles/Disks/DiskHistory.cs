using System.Collections.Immutable;

namespace ChordChat.Core.Tiles.Disks;

/// <summary>The starts and commits that a node's disk remembers; told in the first frame of every link.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks. Not a proof: a node tells the truth about its own
/// disk.</remarks>
/// <param name="Runs">The latest starts, at most <see cref="RunsMax"/>, oldest first, the present one last.</param>
/// <param name="DurableSeq">The commits on the disk now.</param>
public sealed record DiskHistory(ImmutableArray<DiskRun> Runs, ulong DurableSeq)
{
    public const int RunsMax = 64;

    /// <summary>The present start.</summary>
    public DiskRun Now => Runs[^1];

    /// <summary>What others see of this disk now.</summary>
    public DiskSighting Sighting => new(Now.Incarnation, Now.BootNonce, DurableSeq);

    /// <summary>Whether everything that was seen of this disk is on it.</summary>
    /// <param name="seen">Null: it was never seen.</param>
    public DiskVerdict JudgedBy(DiskSighting? seen)
    {
        if (seen is not { } sighting)
            return DiskVerdict.Whole;
        if (sighting.Incarnation > Now.Incarnation)
            return DiskVerdict.RolledBack;
        foreach (var run in Runs)
            if (run.Incarnation == sighting.Incarnation && run.BootNonce != sighting.BootNonce)
                return DiskVerdict.Copied;
        var reached = DurableSeq;
        foreach (var run in Runs.Reverse())
            if (run.Incarnation > sighting.Incarnation)
                reached = run.Found; // What the start after the seen one found is what that one had left.
        return reached >= sighting.DurableSeq ? DiskVerdict.Whole : DiskVerdict.RolledBack;
    }

    /// <summary>Which of two live processes with one identity must end: this one, or the other.</summary>
    /// <remarks>The later start goes on if it has everything of the earlier one, and ends otherwise. Both sides come to
    /// the same result.</remarks>
    public bool GivesWayTo(DiskHistory other)
    {
        if (Now.Incarnation != other.Now.Incarnation)
            return Now.Incarnation < other.Now.Incarnation
                ? other.JudgedBy(Sighting) == DiskVerdict.Whole
                : JudgedBy(other.Sighting) != DiskVerdict.Whole;
        return (DurableSeq, Now.BootNonce).CompareTo((other.DurableSeq, other.Now.BootNonce)) < 0;
    }
}
