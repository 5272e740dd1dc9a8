using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ChordChat.Core.Chat;

/// <summary>Appends big-endian fields in a fixed order; <see cref="FieldReader"/> takes them back.</summary>
internal sealed class FieldWriter(int sizeHint)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(sizeHint);

    public FieldWriter U8(byte value)
    {
        _bytes.Write([value]);
        return this;
    }

    public FieldWriter U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    public FieldWriter U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
        return this;
    }

    public FieldWriter U128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128BigEndian(_bytes.GetSpan(16), value);
        _bytes.Advance(16);
        return this;
    }

    public FieldWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>A length of four bytes, then the bytes.</summary>
    public FieldWriter Blob(ReadOnlySpan<byte> value) => U32((uint)value.Length).Raw(value);

    /// <summary>ASCII with a length of one byte.</summary>
    public FieldWriter Text(string value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, byte.MaxValue);
        return U8((byte)value.Length).Raw(Encoding.ASCII.GetBytes(value));
    }

    public ReadOnlyMemory<byte> ToMemory() => _bytes.WrittenMemory;
}
