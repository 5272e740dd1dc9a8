namespace ChordChat.Crypto.Formats;

/// <summary>
/// 0x80, then zeros up to a size of a short list, so that a length tells little. docs/e2e.md, Padding.
/// </summary>
internal static class Padding
{
    public const int BucketBytesMin = 256;
    public const int BucketBytesMax = 65_536;
    public const int PageBytes = 4_096;

    /// <summary>The bucket of a message with this many bytes before its padding: a power of two.</summary>
    public static int Bucket(int length) =>
        (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(length + 1, BucketBytesMin));

    /// <summary>The size of a keyring with this many bytes before its padding: whole pages.</summary>
    public static int Pages(int length) => (length / PageBytes + 1) * PageBytes;

    public static byte[] Pad(ReadOnlySpan<byte> data, int size)
    {
        var padded = new byte[size];
        data.CopyTo(padded);
        padded[data.Length] = 0x80;
        return padded;
    }

    /// <returns>How many bytes stand before the padding; -1 when there is no padding.</returns>
    public static int LengthOf(ReadOnlySpan<byte> padded)
    {
        var last = padded.LastIndexOfAnyExcept((byte)0);
        return last >= 0 && padded[last] == 0x80 ? last : -1;
    }
}
