using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace ChordChat.Core.Ring;

/// <summary>A point on the identifier circle: 128 bits, clockwise is upwards and wraps at the top.</summary>
public readonly record struct RingId(UInt128 Value) : IComparable<RingId>
{
    /// <summary>m: the number of bits of an identifier, and of fingers.</summary>
    public const int Bits = 128;

    /// <summary>The point of a partition key: the first 16 bytes of SHA-256("key/v1" | kind | 0 | partition
    /// key).</summary>
    /// <remarks>Every node must compute it alike, so <paramref name="partitionKey"/> is ASCII only.</remarks>
    public static RingId OfKey(string kind, string partitionKey) =>
        FirstBytes(SHA256.HashData(
            [.. "key/v1"u8, .. Encoding.ASCII.GetBytes(kind), 0, .. Encoding.ASCII.GetBytes(partitionKey)]));

    /// <summary>The point of a node: the first 16 bytes of SHA-256("pos/v1" | cluster | node id | salt).</summary>
    /// <param name="cluster">16 bytes.</param>
    /// <param name="salt">From the cluster's authority at enrolment, so that nobody can choose a place by trying
    /// keys.</param>
    public static RingId OfNode(ReadOnlySpan<byte> cluster, NodeId node, ReadOnlySpan<byte> salt) =>
        FirstBytes(SHA256.HashData([.. "pos/v1"u8, .. cluster, .. node.ToBytes(), .. salt]));

    /// <summary>Reads 16 big-endian bytes.</summary>
    public static RingId FirstBytes(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Whether <paramref name="x"/> lies strictly inside the arc from <paramref name="a"/> clockwise to
    /// <paramref name="b"/>; for a == b that arc is the whole circle except a.</summary>
    public static bool Between(RingId a, RingId x, RingId b) =>
        Between(a.Value, x.Value, b.Value);

    /// <summary>The arc test on circles of any width, so that a small one can be tested to the last triple.</summary>
    internal static bool Between<T>(T a, T x, T b) where T : IBinaryInteger<T>, IUnsignedNumber<T> =>
        unchecked(x - a - T.One) < unchecked(b - a - T.One);

    /// <summary>How far clockwise it is from this point to <paramref name="other"/>; 0 for the same point.</summary>
    public UInt128 DistanceTo(RingId other) => unchecked(other.Value - Value);

    /// <summary>The point 2^<paramref name="i"/> clockwise: where finger i starts.</summary>
    public RingId FingerStart(int i) => new(unchecked(Value + (UInt128.One << i)));

    public int CompareTo(RingId other) => Value.CompareTo(other.Value);

    public static bool operator <(RingId left, RingId right) => left.Value < right.Value;
    public static bool operator >(RingId left, RingId right) => left.Value > right.Value;
    public static bool operator <=(RingId left, RingId right) => left.Value <= right.Value;
    public static bool operator >=(RingId left, RingId right) => left.Value >= right.Value;

    /// <summary>16 bytes, big-endian.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
