namespace ChordChat.Tests.Simulation.World;

/// <summary>SplitMix64: the same seed gives the same numbers on every machine and every version of .NET.</summary>
/// <remarks>Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).</remarks>
public sealed class Prng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        unchecked
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>0 up to but not including <paramref name="limit"/>.</summary>
    public int Below(int limit) => (int)(Next() % (ulong)limit);

    /// <summary>0 up to but not including 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        least + TimeSpan.FromTicks((long)((most - least).Ticks * Unit()));

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];

    /// <summary>Some of them in random order, none twice.</summary>
    public T[] Sample<T>(IEnumerable<T> from, int count)
    {
        var all = from.ToArray();
        for (var i = 0; i < count; i++)
        {
            var j = i + Below(all.Length - i);
            (all[i], all[j]) = (all[j], all[i]);
        }

        return all[..count];
    }
}
