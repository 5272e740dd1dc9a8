using System.Diagnostics;

namespace ChordChat.Bench.Results;

/// <summary>Waiting times, sorted.</summary>
internal sealed class Latencies
{
    private readonly double[] _ms;

    public Latencies(IEnumerable<double> ms) => _ms = [.. ms.Order()];

    /// <summary>Between two series of Stopwatch times.</summary>
    public static Latencies Between(long[] from, long[] to) =>
        new(from.Zip(to, (a, b) => Stopwatch.GetElapsedTime(a, b).TotalMilliseconds));

    /// <summary>In ms; <paramref name="share"/> of all took no longer.</summary>
    public double At(double share) => Math.Round(_ms[(int)Math.Min(_ms.Length - 1, share * _ms.Length)], 3);
}
