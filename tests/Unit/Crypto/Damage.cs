namespace ChordChat.Tests.Unit.Crypto;

/// <summary>Every way to break bytes a little.</summary>
internal static class Damage
{
    /// <summary>One copy for each byte, with one of its bits flipped: another bit each time.</summary>
    public static IEnumerable<byte[]> BitFlips(ReadOnlyMemory<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= (byte)(1 << i % 8);
            yield return damaged;
        }
    }

    /// <summary>Every shorter beginning, from nothing to all but one byte.</summary>
    public static IEnumerable<byte[]> Truncations(ReadOnlyMemory<byte> bytes) =>
        Enumerable.Range(0, bytes.Length).Select(length => bytes[..length].ToArray());
}
