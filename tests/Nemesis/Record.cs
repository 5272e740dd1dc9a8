using System.Collections.Concurrent;
using System.Diagnostics;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>Everything that people asked for and were told.</summary>
internal sealed class Record
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentDictionary<string, int> _counts = [];
    private readonly ConcurrentDictionary<string, Sending> _sendings = [];
    private readonly ConcurrentQueue<(string Person, TimeSpan At)> _losses = [];

    public TimeSpan Now => _clock.Elapsed;
    public Mailboxes Mail { get; } = new();
    public History<NameCall, string?> Names { get; } = new();

    /// <summary>Every message from its begin until a majority had it.</summary>
    public IEnumerable<Sending> Sendings => _sendings.Values;

    /// <summary>Whenever somebody lost a session or found no node.</summary>
    public IEnumerable<(string Person, TimeSpan At)> Losses => _losses;

    public IEnumerable<string> Counts =>
        _counts.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}");

    public void Count(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    public void Lost(string person) => _losses.Enqueue((person, Now));

    public void Sent(string from, string to, string id, string? node)
    {
        Mail.Sent(to, id, from, Now);
        _sendings[id] = new(from, node, Now, null);
    }

    public void Kept(string to, string id, bool hasArrived)
    {
        Mail.Kept(to, id, Now);
        if (_sendings.TryGetValue(id, out var sending) && sending.Kept is null)
            _sendings[id] = sending with { Kept = Now, HasArrived = hasArrived };
    }
}

/// <param name="Node">Who served the sender then; null when nobody did.</param>
/// <param name="Kept">When the sender was told so, or that it has arrived.</param>
/// <param name="HasArrived">Whether it was told that at once: perhaps no majority ever kept it.</param>
internal sealed record Sending(string From, string? Node, TimeSpan Sent, TimeSpan? Kept, bool HasArrived = false);
