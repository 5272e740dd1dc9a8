using System.Collections.Immutable;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Wire;

namespace ChordChat.Node.Links;

/// <summary>What nodes tell of their disks: Core on one side, Wire on the other.</summary>
internal static class DiskMap
{
    public static DiskHello ToWire(this DiskHistory history) => new()
    {
        Runs =
        {
            history.Runs.Select(run => new WireRun
            {
                Incarnation = run.Incarnation,
                BootNonce = run.BootNonce,
                Found = run.Found,
            }),
        },
        DurableSeq = history.DurableSeq,
    };

    /// <exception cref="MalformedException">No start, too many, or out of order.</exception>
    public static DiskHistory ToCore(this DiskHello? hello)
    {
        if (hello is null || hello.Runs.Count is 0 or > DiskHistory.RunsMax)
            throw new MalformedException("disk hello");
        var runs = hello.Runs.Select(run => new DiskRun(run.Incarnation, run.BootNonce, run.Found)).ToImmutableArray();
        for (var i = 1; i < runs.Length; i++)
            if (runs[i].Incarnation <= runs[i - 1].Incarnation || runs[i].Found < runs[i - 1].Found)
                throw new MalformedException("disk hello");
        return runs[^1].Found <= hello.DurableSeq
            ? new(runs, hello.DurableSeq)
            : throw new MalformedException("disk hello");
    }

    public static WireSighting ToWire(this DiskSighting seen) => new()
    {
        Incarnation = seen.Incarnation,
        BootNonce = seen.BootNonce,
        DurableSeq = seen.DurableSeq,
    };

    public static WireSighting ToWire(this SignedSighting signed)
    {
        var wire = signed.Seen.ToWire();
        wire.Signature = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(signed.Signature);
        return wire;
    }

    public static DiskSighting ToCore(this WireSighting? seen) => seen is null
        ? throw new MalformedException("disk sighting")
        : new(seen.Incarnation, seen.BootNonce, seen.DurableSeq);
}
