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
    private readonly ConcurrentQueue<string> _wrong = [];
    private readonly ConcurrentDictionary<(string Mailbox, string Id), string> _typed = [];

    public TimeSpan Now => _clock.Elapsed;
    public Mailboxes Mail { get; } = new();
    public Screens Screens { get; } = new();
    public History<NameCall, string?> Names { get; } = new();

    /// <summary>Every message from its begin until a majority had it.</summary>
    public IEnumerable<Sending> Sendings => _sendings.Values;

    /// <summary>Whenever somebody lost a session or found no node.</summary>
    public IEnumerable<(string Person, TimeSpan At)> Losses => _losses;

    /// <summary>What was wrong with what people were told, in words.</summary>
    public IEnumerable<string> Wrong => _wrong;

    /// <summary>How many messages were sent, told to be kept, and shown.</summary>
    public string Told => $"{Mail.Counts}; guests' {Screens.Counts}";

    public IEnumerable<string> Counts =>
        _counts.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}");

    public void Count(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    public void Judge(string fault) => _wrong.Enqueue(fault);

    public void Lost(string person) => _losses.Enqueue((person, Now));

    public void Sent(string from, string to, string id, string? node)
    {
        Mail.Sent(to, id, from, Now);
        _sendings[id] = new(from, to, node, Now, null);
    }

    public void Kept(string to, string id, bool hasArrived)
    {
        Mail.Kept(to, id, Now);
        if (_sendings.TryGetValue(id, out var sending) && sending.Kept is null)
            _sendings[id] = sending with { Kept = Now, HasArrived = hasArrived };
    }

    /// <summary>Messages whose senders have been told that a majority keeps them, as mailbox and id.</summary>
    public IReadOnlyList<(string Mailbox, string Id)> ToldKept() =>
    [
        .. _sendings.Where(one => one.Value is { Kept: not null, HasArrived: false })
            .Select(one => (one.Value.To, one.Key)),
        .. _typed.Keys,
    ];

    /// <summary>A guest was told that a majority keeps a message.</summary>
    public void ToldKept(string to, string id, string text) => _typed[(to, id)] = text;

    /// <summary>Whether its recipient has seen a message; true for those of people who are judged otherwise.</summary>
    public bool HasSeen((string Mailbox, string Id) message) =>
        !_typed.TryGetValue(message, out var text) || Screens.HasSeen(message.Mailbox, text);

    /// <summary>Whoever is told that a message is kept is told of a majority that keeps it.</summary>
    public void JudgeCopies(string id, IReadOnlyCollection<string> copies, int of)
    {
        if (of > 0 && copies.Count <= of / 2)
            Judge($"message {id} is called kept with {copies.Count} copies of {of} ({string.Join(", ", copies)})");
    }
}

/// <param name="Node">Who served the sender then; null when nobody did.</param>
/// <param name="Kept">When the sender was told so, or that it has arrived.</param>
/// <param name="HasArrived">Whether it was told that at once: perhaps no majority ever kept it.</param>
internal sealed record Sending(
    string From, string To, string? Node, TimeSpan Sent, TimeSpan? Kept, bool HasArrived = false);
