namespace ChordChat.Core.Ring;

/// <summary>The only source of chance in Core: SplitMix64, seeded by the host, so that a run can be repeated.</summary>
/// <remarks>Not for secrets. One instance belongs to one loop. Source: Steele, Lea, Flood, OOPSLA 2014.</remarks>
public sealed class Prng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>A number from 0 to <paramref name="limit"/> - 1.</summary>
    public int Below(int limit) => (int)((UInt128)Next() * (UInt128)limit >> 64);

    /// <summary>A number from 0 up to, never reaching, 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True once in 1 / <paramref name="probability"/> calls.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    public UInt128 Next128() => new(Next(), Next());
}
