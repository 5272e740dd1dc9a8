namespace ChordChat.Core.Ring;

/// <summary>The only source of chance in Core: SplitMix64, seeded by the host, so that a run can be repeated.</summary>
/// <remarks>Not for secrets. One instance belongs to one loop. Source: Steele, Lea, Flood, OOPSLA 2014.</remarks>
public sealed class Prng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next() => Mix(_state = unchecked(_state + 0x9E3779B97F4A7C15));

    /// <summary>Stafford's mixer 13, the output step of SplitMix64: every bit of the result hangs on every bit given.
    /// </summary>
    internal static ulong Mix(ulong x)
    {
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return x ^ (x >> 31);
    }

    /// <summary>A number from 0 to <paramref name="limit"/> - 1.</summary>
    public int Below(int limit) => (int)((UInt128)Next() * (UInt128)limit >> 64);

    /// <summary>A number from 0 up to, never reaching, 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True once in 1 / <paramref name="probability"/> calls.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    public UInt128 Next128() => new(Next(), Next());
}
