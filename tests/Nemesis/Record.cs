using System.Collections.Concurrent;
using System.Diagnostics;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>Everything that people asked for and were told.</summary>
internal sealed class Record
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentDictionary<string, int> _counts = [];

    public TimeSpan Now => _clock.Elapsed;
    public Mailboxes Mail { get; } = new();
    public History<NameCall, string?> Names { get; } = new();

    public void Count(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    public IEnumerable<string> Counts => _counts.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}");
}
