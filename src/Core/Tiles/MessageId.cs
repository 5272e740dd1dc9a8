using System.Buffers.Binary;
using System.Globalization;

namespace ChordChat.Core.Tiles;

/// <summary>The name of a message, given by its sender: 16 bytes, time first, then random; the same on every
/// retry.</summary>
public readonly record struct MessageId(UInt128 Value) : IComparable<MessageId>
{
    /// <summary>Reads 16 big-endian bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 16 bytes.</exception>
    public static MessageId FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == 16
        ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes))
        : throw new ArgumentException($"a message id has 16 bytes, not {bytes.Length}", nameof(bytes));

    public byte[] ToBytes()
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }

    public int CompareTo(MessageId other) => Value.CompareTo(other.Value);

    public static bool operator <(MessageId left, MessageId right) => left.Value < right.Value;
    public static bool operator >(MessageId left, MessageId right) => left.Value > right.Value;
    public static bool operator <=(MessageId left, MessageId right) => left.Value <= right.Value;
    public static bool operator >=(MessageId left, MessageId right) => left.Value >= right.Value;

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
