using System.Buffers.Binary;
using System.Globalization;

namespace ChordChat.Crypto.Messages;

/// <summary>msgId: the name of a message, chosen by its sender, the same on every retry.</summary>
/// <remarks>It salts the message's key, so it must never be used for two different messages. A UUID of version 7 (RFC
/// 9562): the time in milliseconds, then 74 random bits; so the new ones of a mailbox stand side by side in a node's
/// index. Nobody relies on the time in it.</remarks>
public readonly record struct EnvelopeId(UInt128 Value)
{
    public const int Bytes = 16;

    public static EnvelopeId New() => FromBytes(Guid.CreateVersion7().ToByteArray(bigEndian: true));

    /// <summary>Reads 16 big-endian bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 16 bytes.</exception>
    public static EnvelopeId FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Bytes
        ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes))
        : throw new ArgumentException($"a message id has {Bytes} bytes, not {bytes.Length}", nameof(bytes));

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
