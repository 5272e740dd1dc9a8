using System.Globalization;

namespace ChordChat.Tests.Simulation.World;

/// <summary>What happened: a hash over everything, and the last events in words.</summary>
public sealed class Trace
{
    public const int LinesMax = 40;

    private readonly (TimeSpan At, string Kind, int From, int To, object? What)[] _last = new (TimeSpan, string, int, int, object?)[LinesMax];
    private long _count;

    /// <summary>Equal hashes mean equal runs: time, kind, ends and name of every event went into it.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <param name="what">Kept for the text and hashed by its type, or by its characters when it is a string. Must not
    /// change afterwards.</param>
    public void Add(TimeSpan at, string kind, int from, int to, object? what)
    {
        _last[_count++ % LinesMax] = (at, kind, from, to, what);
        Mix((ulong)at.Ticks);
        Mix(kind);
        Mix(((ulong)(uint)from << 32) | (uint)to);
        Mix(what as string ?? what?.GetType().Name ?? "");
    }

    /// <summary>The last events, oldest first.</summary>
    public override string ToString()
    {
        var lines = new List<string>();
        for (var i = Math.Max(0, _count - LinesMax); i < _count; i++)
        {
            var (at, kind, from, to, what) = _last[i % LinesMax];
            var ends = to < 0 ? Name(from) : $"{Name(from)} -> {Name(to)}";
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{at.TotalMilliseconds,10:f3} ms {kind,-9} {ends} {what}"));
        }

        return string.Join('\n', lines);
    }

    private static string Name(int node) => node < 0 ? "world" : $"n{node + 1}";

    private void Mix(string text)
    {
        foreach (var letter in text)
            Mix(letter);
    }

    private void Mix(ulong value) => Hash = unchecked((Hash ^ value) * 1099511628211);
}
