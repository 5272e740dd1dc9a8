using System.Buffers.Binary;
using ChordChat.Core.Ring;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>Turns valid bytes into nearly valid ones: what a broken or hostile peer sends.</summary>
internal static class Mutation
{
    private static readonly byte[] EdgeBytes = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, (byte)' ', (byte)':'];
    private static readonly ulong[] EdgeNumbers = [0, 1, 0x7FFF_FFFF, 0x8000_0000, long.MaxValue, ulong.MaxValue];

    /// <summary>A copy of one sample with up to six changes; now and then plain noise.</summary>
    public static byte[] Of(IReadOnlyList<byte[]> corpus, Prng random)
    {
        if (random.Below(50) == 0)
            return Noise(random, random.Below(300));
        List<byte> bytes = [.. corpus[random.Below(corpus.Count)]];
        for (var times = random.Below(7); times > 0; times--)
            Change(bytes, corpus, random);
        return [.. bytes];
    }

    private static void Change(List<byte> bytes, IReadOnlyList<byte[]> corpus, Prng random)
    {
        if (bytes.Count == 0)
            bytes.Add((byte)random.Below(256));
        var at = random.Below(bytes.Count);
        var some = Math.Min(bytes.Count - at, 1 + random.Below(40));
        switch (random.Below(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1:
                bytes[at] = EdgeBytes[random.Below(EdgeBytes.Length)];
                break;
            case 2:
                bytes.RemoveRange(at, some);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at); // Cut off.
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, some));
                break;
            case 5:
                bytes.InsertRange(at, Noise(random, 1 + random.Below(20)));
                break;
            case 6:
                Splice(bytes, at, corpus[random.Below(corpus.Count)], random);
                break;
            case 7:
                Overwrite(bytes, at, EdgeNumbers[random.Below(EdgeNumbers.Length)], 1 << random.Below(4), random);
                break;
            default:
                // A varint or the low byte of a length, one off.
                bytes[at] = (byte)(bytes[at] + (random.Below(2) == 0 ? 1 : 255));
                break;
        }
    }

    private static void Splice(List<byte> bytes, int at, byte[] other, Prng random)
    {
        var from = random.Below(other.Length + 1);
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(from));
    }

    private static void Overwrite(List<byte> bytes, int at, ulong number, int width, Prng random)
    {
        Span<byte> field = stackalloc byte[8];
        if (random.Below(2) == 0)
            BinaryPrimitives.WriteUInt64BigEndian(field, number << (64 - (8 * width)));
        else
            BinaryPrimitives.WriteUInt64LittleEndian(field, number);
        for (var i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = field[i];
    }

    private static byte[] Noise(Prng random, int length)
    {
        var noise = new byte[length];
        for (var i = 0; i < length; i++)
            noise[i] = (byte)random.Next();
        return noise;
    }
}
