using System.Globalization;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>One of 2^<paramref name="Bits"/> equal arcs of the circle: all points whose first bits are
/// <paramref name="Prefix"/>.</summary>
/// <param name="Bits">0 (the whole circle) to 24.</param>
/// <param name="Prefix">The first bits of every point inside, as a number.</param>
public readonly record struct TileId(int Bits, uint Prefix) : IComparable<TileId>
{
    public const int BitsMax = 24;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>The first point of the tile; its owner is the first node at or clockwise after it.</summary>
    public RingId Start => new(Bits == 0 ? UInt128.Zero : (UInt128)Prefix << (RingId.Bits - Bits));

    /// <summary>The last point that still belongs to the tile.</summary>
    public RingId End => new(Start.Value | (UInt128.MaxValue >> Bits));

    /// <summary>The tile that holds a point when the circle is cut into 2^<paramref name="bits"/>.</summary>
    public static TileId Of(RingId point, int bits) =>
        new(Checked(bits), bits == 0 ? 0 : (uint)(point.Value >> (RingId.Bits - bits)));

    /// <summary>All tiles of a circle cut into 2^<paramref name="bits"/>, clockwise from zero.</summary>
    public static IEnumerable<TileId> All(int bits) =>
        Enumerable.Range(0, 1 << Checked(bits)).Select(prefix => new TileId(bits, (uint)prefix));

    /// <summary>The half that begins where this tile does. docs/protocol.md#tile-split</summary>
    public TileId First => new(Checked(Bits + 1), Prefix << 1);

    /// <summary>The other half.</summary>
    public TileId Second => new(Checked(Bits + 1), (Prefix << 1) | 1);

    /// <summary>The tile that this one is half of; of the whole circle: itself.</summary>
    public TileId Wider => Bits == 0 ? this : new(Bits - 1, Prefix >> 1);

    public bool Contains(RingId point) => Of(point, Bits).Prefix == Prefix;

    /// <summary>Whether all of another tile lies in this one.</summary>
    public bool Contains(TileId other) => other.Bits >= Bits && other.Prefix >> (other.Bits - Bits) == Prefix;

    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out TileId tile)
    {
        tile = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || !uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, Invariant, out var prefix)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, Invariant, out var bits)
            || bits > BitsMax || prefix >> bits != 0)
            return false;
        tile = new TileId(bits, prefix);
        return tile.ToString() == text;
    }

    public int CompareTo(TileId other) =>
        Start != other.Start ? Start.CompareTo(other.Start) : Bits.CompareTo(other.Bits);

    public static bool operator <(TileId left, TileId right) => left.CompareTo(right) < 0;
    public static bool operator >(TileId left, TileId right) => left.CompareTo(right) > 0;
    public static bool operator <=(TileId left, TileId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(TileId left, TileId right) => left.CompareTo(right) >= 0;

    /// <summary>The prefix in hex and the bits: 5a/7.</summary>
    public override string ToString() =>
        $"{Prefix.ToString($"x{Math.Max(1, (Bits + 3) / 4)}", Invariant)}/{Bits.ToString(Invariant)}";

    private static int Checked(int bits) => bits is >= 0 and <= BitsMax
        ? bits
        : throw new ArgumentOutOfRangeException(nameof(bits), bits, $"a tile has 0 to {BitsMax} bits");
}
