using System.Buffers.Binary;
using System.Text;

namespace ChordChat.Core.Chat;

/// <summary>Takes fields off the front of a record. Records come from a majority's disks, so damage is a bug.</summary>
/// <exception cref="InvalidDataException">The record is shorter or longer than its fields.</exception>
internal ref struct FieldReader(ReadOnlyMemory<byte> bytes)
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public byte U8() => Take(1).Span[0];
    public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4).Span);
    public ulong U64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8).Span);
    public UInt128 U128() => BinaryPrimitives.ReadUInt128BigEndian(Take(16).Span);
    public ReadOnlyMemory<byte> Raw(int length) => Take(length);

    public ReadOnlyMemory<byte> Blob()
    {
        var length = U32();
        return length <= _rest.Length ? Take((int)length) : throw Damaged("ends inside a field");
    }

    public string Text()
    {
        var bytes = Take(U8()).Span;
        return Ascii.IsValid(bytes) ? Encoding.ASCII.GetString(bytes) : throw Damaged("has a name that is not ASCII");
    }

    /// <summary>Expects the four letters and the version byte that every record begins with.</summary>
    public void Head(ReadOnlySpan<byte> magic, byte version) => Head(magic, version, version);

    /// <summary>As the other, for records of which older versions are read, too.</summary>
    /// <returns>The version found.</returns>
    public byte Head(ReadOnlySpan<byte> magic, byte oldest, byte version)
    {
        if (!Take(magic.Length).Span.SequenceEqual(magic))
            throw Damaged($"does not begin with {Encoding.ASCII.GetString(magic)}");
        var found = U8();
        return found >= oldest && found <= version
            ? found
            : throw Damaged($"has version {found}; this program knows version {version}");
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty)
            throw Damaged($"has {_rest.Length} bytes too many");
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        if (length > _rest.Length)
            throw Damaged("ends inside a field");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static InvalidDataException Damaged(string how) => new($"the record {how}");
}
