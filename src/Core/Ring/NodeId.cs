using System.Buffers.Binary;
using System.Globalization;

namespace ChordChat.Core.Ring;

/// <summary>Who a node is for ever: SHA-256 of its public key (SubjectPublicKeyInfo), 32 bytes.</summary>
public readonly record struct NodeId(UInt128 High, UInt128 Low) : IComparable<NodeId>
{
    /// <summary>Reads 32 big-endian bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 32 bytes.</exception>
    public static NodeId FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == 32
        ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]))
        : throw new ArgumentException($"a node id has 32 bytes, not {bytes.Length}", nameof(bytes));

    public byte[] ToBytes()
    {
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(16), Low);
        return bytes;
    }

    public int CompareTo(NodeId other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public static bool operator <(NodeId left, NodeId right) => left.CompareTo(right) < 0;
    public static bool operator >(NodeId left, NodeId right) => left.CompareTo(right) > 0;
    public static bool operator <=(NodeId left, NodeId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(NodeId left, NodeId right) => left.CompareTo(right) >= 0;

    /// <summary>The first digits, enough to tell nodes apart where people read them.</summary>
    public string ShortForm => ToString()[..8];

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{High:x32}{Low:x32}");
}
