using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChordChat.Crypto.Formats;

/// <summary>
/// Writes one format, field by field; <see cref="Finish"/> takes the bytes and leaves nothing behind.
/// </summary>
/// <param name="capacity">Bytes to start with. Outgrown buffers are zeroed: what is written may be secret.</param>
internal sealed class Writer(int capacity = 256)
{
    private byte[] _buffer = new byte[capacity];
    private int _length;

    public Writer Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Next(bytes.Length));
        return this;
    }

    public Writer U8(byte value)
    {
        Next(1)[0] = value;
        return this;
    }

    public Writer U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Next(2), value);
        return this;
    }

    public Writer U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Next(4), value);
        return this;
    }

    public Writer U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Next(8), value);
        return this;
    }

    public Writer U128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128BigEndian(Next(16), value);
        return this;
    }

    public Writer Digest(Digest value)
    {
        value.Write(Next(Crypto.Digest.Bytes));
        return this;
    }

    public Writer Cluster(ClusterId value) => U128(value.Value);

    public Writer B16(ReadOnlySpan<byte> bytes) => U16(checked((ushort)bytes.Length)).Raw(bytes);

    public Writer B32(ReadOnlySpan<byte> bytes) => U32((uint)bytes.Length).Raw(bytes);

    /// <summary>s8 of a user name.</summary>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public Writer User(string name)
    {
        var length = UserName.Require(name).Length;
        Encoding.ASCII.GetBytes(name, U8((byte)length).Next(length));
        return this;
    }

    /// <summary>What was written; the writer is empty and zeroed afterwards.</summary>
    public byte[] Finish()
    {
        var result = _buffer;
        if (_length != _buffer.Length)
        {
            result = _buffer[.._length];
            CryptographicOperations.ZeroMemory(_buffer);
        }

        (_buffer, _length) = ([], 0);
        return result;
    }

    private Span<byte> Next(int count)
    {
        var needed = checked(_length + count);
        if (needed > _buffer.Length)
        {
            var larger = new byte[Math.Max(needed, 2 * _buffer.Length)];
            _buffer.AsSpan(0, _length).CopyTo(larger);
            CryptographicOperations.ZeroMemory(_buffer);
            _buffer = larger;
        }

        var next = _buffer.AsSpan(_length, count);
        _length = needed;
        return next;
    }
}
