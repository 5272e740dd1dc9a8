using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace ChordChat.Crypto;

/// <summary>Which cluster a sealed thing belongs to: 16 bytes that follow from its authority's key.</summary>
/// <remarks>It stands in every format, so nothing can be replayed from one cluster to another.</remarks>
public readonly record struct ClusterId(UInt128 Value)
{
    public const int Bytes = 16;

    /// <summary>The id of the cluster whose authority has this public key.</summary>
    /// <param name="key">DER, SubjectPublicKeyInfo.</param>
    public static ClusterId OfAuthority(ReadOnlySpan<byte> key) =>
        FromBytes(Digest.Of(Labels.ClusterId, key).ToBytes().AsSpan(0, Bytes));

    /// <summary>A random one, as clusters had before.</summary>
    public static ClusterId New() => FromBytes(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Reads 16 big-endian bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 16 bytes.</exception>
    public static ClusterId FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Bytes
        ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes))
        : throw new ArgumentException($"a cluster id has {Bytes} bytes, not {bytes.Length}", nameof(bytes));

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
