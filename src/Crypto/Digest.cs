using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace ChordChat.Crypto;

/// <summary>32 bytes of SHA-256 over a label and data: the name of a key, an entry, a body or a conversation.</summary>
/// <remarks>Never a secret, so equality need not take constant time. docs/e2e.md, Conventions.</remarks>
public readonly record struct Digest(UInt128 High, UInt128 Low) : IComparable<Digest>
{
    public const int Bytes = 32;

    /// <summary>Reads 32 big-endian bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 32 bytes.</exception>
    public static Digest FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Bytes
        ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]))
        : throw new ArgumentException($"a digest has {Bytes} bytes, not {bytes.Length}", nameof(bytes));

    /// <summary>H(label, data) = SHA-256(L(label) || data).</summary>
    internal static Digest Of(byte[] label, ReadOnlySpan<byte> data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(label);
        hash.AppendData(data);
        Span<byte> result = stackalloc byte[Bytes];
        hash.GetHashAndReset(result);
        return FromBytes(result);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        Write(bytes);
        return bytes;
    }

    /// <summary>Writes 32 bytes to the start of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
    }

    public int CompareTo(Digest other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x32}{Low:x32}");
}
