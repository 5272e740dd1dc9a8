using System.Buffers.Binary;
using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Node.Links;

/// <summary>What copies compare: Core on one side, Wire on the other.</summary>
/// <remarks>Reading throws <see cref="MalformedException"/> for whatever Core could not have written.</remarks>
internal static class RepairMap
{
    private const int SumBytes = 16;
    private const int SumCount = 256;

    public static CompareCall ToWire(this ReplicaRequest.Compare compare) => new()
    {
        Tiles = { compare.Tiles.Select(tile => new WireTileSum { At = tile.At.ToWire(), Root = Bytes([tile.Root]) }) },
    };

    public static ReplicaRequest.Compare ToCore(this CompareCall compare) =>
        new([.. compare.Tiles.Select(tile => new TileSum(tile.At.ToCore(), Numbers(tile.Root, 1)[0]))]);

    public static DifferingAnswer ToWire(this ReplicaReply.Differing differing) => new()
    {
        Tiles =
        {
            differing.Tiles.Select(tile =>
                new WireTileSums { At = tile.At.ToWire(), Sums = Bytes(tile.Sums.AsSpan()) }),
        },
    };

    public static ReplicaReply.Differing ToCore(this DifferingAnswer differing) =>
        new([.. differing.Tiles.Select(tile => new TileSums(tile.At.ToCore(), Numbers(tile.Sums, SumCount)))]);

    public static MissingCall ToWire(this ReplicaRequest.Missing missing) => new()
    {
        Buckets = Bytes([missing.Buckets.Low, missing.Buckets.High]),
        After = missing.After.ToWire(),
        UpTo = missing.UpTo?.ToWire(),
        Have =
        {
            missing.Have.Select(row => new WireRowStamp
            {
                At = row.At.ToWire(),
                Accepted = row.At.Entries ? null : row.Accepted.ToWire(),
                Buried = row.IsBuried,
            }),
        },
    };

    public static ReplicaRequest.Missing ToCore(this MissingCall missing, TileEpoch at)
    {
        var buckets = Numbers(missing.Buckets, 2);
        return new(
            at, new(buckets[0], buckets[1]), missing.After.ToCore(),
            missing.UpTo is null ? null : missing.UpTo.ToCore(),
            [.. missing.Have.Select(row => new RowStamp(
                row.At.ToCore(), row.Accepted is null ? default : row.Accepted.ToCore(), row.Buried))]);
    }

    public static PullCall ToWire(this ReplicaRequest.Pull pull) => new()
    {
        After = pull.After.ToWire(),
        BytesMax = pull.BytesMax,
        Sums = pull.Theirs.IsDefaultOrEmpty ? ByteString.Empty : Bytes(pull.Theirs.AsSpan()),
    };

    public static ReplicaRequest.Pull ToCore(this PullCall pull, TileEpoch at) => new(
        at, pull.After.ToCore(), Math.Clamp(pull.BytesMax, 1, 1 << 20),
        pull.Sums.IsEmpty ? default : Numbers(pull.Sums, SumCount));

    private static ByteString Bytes(ReadOnlySpan<UInt128> numbers)
    {
        var bytes = new byte[numbers.Length * SumBytes];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(i * SumBytes), numbers[i]);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static ImmutableArray<UInt128> Numbers(ByteString bytes, int count)
    {
        if (bytes.Length != count * SumBytes)
            throw new MalformedException("digest");
        var numbers = ImmutableArray.CreateBuilder<UInt128>(count);
        for (var i = 0; i < count; i++)
            numbers.Add(BinaryPrimitives.ReadUInt128BigEndian(bytes.Span[(i * SumBytes)..]));
        return numbers.MoveToImmutable();
    }
}
