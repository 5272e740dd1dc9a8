using System.Globalization;

namespace ChordChat.Tests.Simulation.World;

/// <summary>What happened: a hash over everything, and the last events in words.</summary>
public sealed class Trace
{
    /// <summary>How many events a failure ends with; CHORDCHAT_LINES=n asks for more.</summary>
    public static readonly int LinesMax = (int)(Seeds.Number("CHORDCHAT_LINES") ?? 40);

    private readonly Queue<(TimeSpan At, string Kind, int From, int To, object? What)> _last = [];

    /// <summary>Equal hashes mean equal runs: time, kind, ends and name of every event went into it.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <param name="what">Kept for the text and hashed by its type, or by its characters when it is a string. Must not
    /// change afterwards.</param>
    public void Add(TimeSpan at, string kind, int from, int to, object? what)
    {
        if (_last.Count == LinesMax)
            _last.Dequeue();
        _last.Enqueue((at, kind, from, to, what));
        Mix((ulong)at.Ticks);
        Mix(kind);
        Mix(((ulong)(uint)from << 32) | (uint)to);
        Mix(what as string ?? (what as ITraced)?.TraceName ?? what?.GetType().Name ?? "");
    }

    /// <summary>The last events, oldest first.</summary>
    public override string ToString()
    {
        var lines = new List<string>();
        foreach (var (at, kind, from, to, what) in _last)
        {
            var ends = to < 0 ? Name(from) : $"{Name(from)} -> {Name(to)}";
            var time = at.TotalMilliseconds.ToString("f3", CultureInfo.InvariantCulture);
            lines.Add($"{time,10} ms {kind,-9} {ends} {what}");
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

/// <summary>Says by which name an event is hashed, where the type alone would say too little.</summary>
public interface ITraced
{
    string TraceName { get; }
}
