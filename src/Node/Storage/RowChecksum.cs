using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ChordChat.Node.Storage;

/// <summary>CRC-32C over the parts of a row, so that a flipped bit on the disk is found before it is
/// believed.</summary>
internal struct RowChecksum()
{
    private uint _crc = uint.MaxValue;

    public readonly long Value => ~_crc;

    public RowChecksum With(ReadOnlySpan<byte> bytes)
    {
        var crc = BitOperations.Crc32C(_crc, (ulong)bytes.Length); // where one part ends counts too
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return new RowChecksum { _crc = crc };
    }

    public RowChecksum With(string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(text, bytes, out var count)
            ? With(bytes[..count])
            : With(Encoding.UTF8.GetBytes(text).AsSpan());
    }

    public readonly RowChecksum With(long number) => new() { _crc = BitOperations.Crc32C(_crc, (ulong)number) };
}
