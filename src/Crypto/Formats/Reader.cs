using System.Buffers.Binary;
using System.Text;

namespace ChordChat.Crypto.Formats;

/// <summary>
/// Reads one format from its first byte to its last: fixed order, no optional field, nothing left over.
/// </summary>
/// <remarks>
/// The first damage sticks: every later read yields zeros or nothing, and <see cref="AtEnd"/> stays false. So a
/// parser reads all its fields and asks once, and its answer never says which field was wrong.
/// </remarks>
internal ref struct Reader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;
    private bool _failed;

    /// <summary>Whether everything so far was there and well-formed.</summary>
    public readonly bool Ok => !_failed;

    /// <summary>Whether everything was well-formed and no byte is left.</summary>
    public readonly bool AtEnd => !_failed && _position == _bytes.Length;

    /// <summary>How many bytes have been read.</summary>
    public readonly int Position => _position;

    public ReadOnlySpan<byte> Raw(int count)
    {
        if (_failed || count < 0 || count > _bytes.Length - _position)
        {
            _failed = true;
            return default;
        }

        var part = _bytes.Slice(_position, count);
        _position += count;
        return part;
    }

    /// <summary>Fails unless exactly these bytes come next: a magic, a version.</summary>
    public void Expect(ReadOnlySpan<byte> expected) => Require(Raw(expected.Length).SequenceEqual(expected));

    /// <summary>Fails the whole parse when a rule of the format does not hold.</summary>
    public void Require(bool holds) => _failed |= !holds;

    public byte U8() => Raw(1) is { Length: 1 } b ? b[0] : (byte)0;

    public ushort U16() => Raw(2) is { Length: 2 } b ? BinaryPrimitives.ReadUInt16BigEndian(b) : (ushort)0;

    public uint U32() => Raw(4) is { Length: 4 } b ? BinaryPrimitives.ReadUInt32BigEndian(b) : 0;

    public ulong U64() => Raw(8) is { Length: 8 } b ? BinaryPrimitives.ReadUInt64BigEndian(b) : 0;

    public UInt128 U128() => Raw(16) is { Length: 16 } b ? BinaryPrimitives.ReadUInt128BigEndian(b) : 0;

    public Digest Digest() => Raw(Crypto.Digest.Bytes) is { Length: > 0 } b ? Crypto.Digest.FromBytes(b) : default;

    public ClusterId Cluster() => new(U128());

    public ReadOnlySpan<byte> B16(int max) => Counted(U16(), max);

    public ReadOnlySpan<byte> B32(int max) => Counted(U32(), max);

    /// <summary>s8 of a valid user name; "" after damage.</summary>
    public string User()
    {
        var bytes = Raw(U8());
        foreach (var b in bytes)
            Require(b < 0x80);
        var name = _failed ? "" : Encoding.ASCII.GetString(bytes);
        Require(UserName.IsValid(name));
        return name;
    }

    private ReadOnlySpan<byte> Counted(uint count, int max)
    {
        Require(count <= (uint)max);
        return _failed ? default : Raw((int)count);
    }
}
