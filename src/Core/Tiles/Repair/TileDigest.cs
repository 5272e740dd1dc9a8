using System.Collections.Immutable;

namespace ChordChat.Core.Tiles.Repair;

/// <summary>What a copy of a tile holds, as 256 sums modulo 2^128 of row hashes: equal sums, equal rows.</summary>
/// <remarks>docs/protocol.md#repair. Not proof against somebody who picks colliding rows; nodes are trusted.</remarks>
internal sealed class TileDigest
{
    public const int BucketCount = 256;

    private readonly UInt128[] _sums = new UInt128[BucketCount];

    /// <summary>One sum for the whole tile; mixed, so that a row that moved between buckets would show.</summary>
    public UInt128 Root
    {
        get
        {
            var root = UInt128.Zero;
            foreach (var sum in _sums)
                root = unchecked((root * 31) + sum);
            return root;
        }
    }

    public ImmutableArray<UInt128> Sums => [.. _sums];

    public void Add(RowStamp row) => _sums[row.Bucket] = unchecked(_sums[row.Bucket] + row.Hash);

    public void Remove(RowStamp row) => _sums[row.Bucket] = unchecked(_sums[row.Bucket] - row.Hash);

    /// <summary>The buckets that are not as there.</summary>
    public BucketSet Differing(ImmutableArray<UInt128> theirs)
    {
        var differing = default(BucketSet);
        for (var bucket = 0; bucket < BucketCount; bucket++)
            if (_sums[bucket] != theirs[bucket])
                differing = differing.With(bucket);
        return differing;
    }
}

/// <summary>Some of the 256 buckets.</summary>
public readonly record struct BucketSet(UInt128 Low, UInt128 High)
{
    public bool IsEmpty => Low == 0 && High == 0;

    public bool Contains(int bucket) => (((bucket < 128 ? Low : High) >> (bucket & 127)) & 1) != 0;

    public BucketSet With(int bucket) => bucket < 128
        ? this with { Low = Low | (UInt128.One << bucket) }
        : this with { High = High | (UInt128.One << (bucket & 127)) };
}

/// <summary>A tile's digest in one number.</summary>
public readonly record struct TileSum(TileEpoch At, UInt128 Root);

/// <summary>A tile's digest in full, because the short ones differ.</summary>
/// <param name="Sums">256 of them.</param>
public sealed record TileSums(TileEpoch At, ImmutableArray<UInt128> Sums);
