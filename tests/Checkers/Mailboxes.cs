namespace ChordChat.Tests.Checkers;

/// <summary>All that happened to messages: sent, kept, read, shown, acknowledged. May be written by many threads at
/// once.</summary>
/// <remarks>
/// The checker known as <i>set-full</i>: what is kept is found by every complete reading that begins later, until
/// somebody begins to acknowledge it; what is acknowledged is never read again; nothing is invented. On top of that
/// what a client showed after it had thrown doubles away: each message once, and a sender's messages in their order.
/// </remarks>
public sealed class Mailboxes
{
    private readonly Lock _turn = new();
    private readonly Dictionary<(string Mailbox, string Id), Message> _messages = [];
    private readonly List<Reading> _readings = [];
    private readonly Dictionary<string, List<(string Id, int Missing)>> _shown = new(StringComparer.Ordinal);

    /// <summary>Writes a message down before it is sent. Sending it again, with the same id, is the same
    /// message.</summary>
    public void Sent(string mailbox, string id, string sender, TimeSpan now)
    {
        lock (_turn)
            _messages.TryAdd((mailbox, id), new(sender, _messages.Count, now));
    }

    /// <summary>The sender was told that it is kept. The first time counts.</summary>
    public void Kept(string mailbox, string id, TimeSpan now) => Update(mailbox, id, message => message.Kept ??= now);

    /// <summary>The sender was told that it is not kept and never will be.</summary>
    public void Refused(string mailbox, string id) => Update(mailbox, id, message => message.Refused = true);

    /// <summary>Somebody begins to acknowledge it.</summary>
    public void Acknowledging(string mailbox, string id, TimeSpan now) =>
        Update(mailbox, id, message => message.Burying ??= now);

    /// <summary>The acknowledgement was confirmed.</summary>
    public void Acknowledged(string mailbox, string id, TimeSpan now) =>
        Update(mailbox, id, message => message.Buried ??= now);

    /// <summary>A scan of a mailbox.</summary>
    /// <param name="returned">Null if it never came to its end: then it may lack messages.</param>
    public void Read(string mailbox, IReadOnlyList<string> ids, TimeSpan invoked, TimeSpan? returned)
    {
        lock (_turn)
            _readings.Add(new(mailbox, ids, invoked, returned));
    }

    /// <summary>The client of this mailbox showed a message to its user.</summary>
    /// <param name="missing">How many messages of its sender it said were missing before it.</param>
    public void Shown(string mailbox, string id, int missing = 0)
    {
        lock (_turn)
            if (_shown.TryGetValue(mailbox, out var ids))
                ids.Add((id, missing));
            else
                _shown[mailbox] = [(id, missing)];
    }

    /// <summary>How many messages were sent, told to be kept, and shown.</summary>
    public (int Sent, int Kept, int Shown) Counts
    {
        get
        {
            lock (_turn)
                return (_messages.Count, _messages.Values.Count(message => message.Kept is not null),
                    _shown.Values.Sum(ids => ids.Count));
        }
    }

    /// <summary>Kept messages that were not shown yet, at most <paramref name="max"/> of them.</summary>
    public IReadOnlyList<(string Mailbox, string Id)> Missing(int max)
    {
        lock (_turn)
        {
            var shown = _shown.ToDictionary(
                box => box.Key, box => box.Value.Select(one => one.Id).ToHashSet(StringComparer.Ordinal));
            return
            [
                .. _messages.Where(message => message.Value.Kept is not null
                        && !(shown.TryGetValue(message.Key.Mailbox, out var ids) && ids.Contains(message.Key.Id)))
                    .Select(message => message.Key).Take(max),
            ];
        }
    }

    /// <summary>What is wrong, in words, or null.</summary>
    /// <param name="atEnd">Whether everything had its time to arrive: then all that is kept must have been
    /// shown.</param>
    public string? Fault(bool atEnd)
    {
        lock (_turn)
            return _readings.Select(ReadingFault).FirstOrDefault(fault => fault is not null)
                ?? _shown.Select(box => ShownFault(box.Key, box.Value)).FirstOrDefault(fault => fault is not null)
                ?? (atEnd && Missing(1) is [var (mailbox, id)]
                    ? $"kept message {id} of {mailbox} was never shown"
                    : null);
    }

    private void Update(string mailbox, string id, Action<Message> update)
    {
        lock (_turn)
            update(_messages[(mailbox, id)]);
    }

    private string? ReadingFault(Reading reading)
    {
        var (mailbox, ids, invoked, returned) = reading;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in ids)
            if (!seen.Add(id))
                return $"a reading of {mailbox} gave {id} twice";
            else if (StrangeFault(mailbox, id) is { } fault)
                return fault;
            else if (_messages[(mailbox, id)].Buried < invoked)
                return $"message {id} of {mailbox} came back after its acknowledgement";
        if (returned is null)
            return null;
        foreach (var ((box, id), message) in _messages)
            if (box == mailbox && message.Kept < invoked && !(message.Burying < returned) && !seen.Contains(id))
                return $"kept message {id} of {mailbox} is lost: kept at {message.Kept}, not read at {invoked}";
        return null;
    }

    private string? ShownFault(string mailbox, List<(string Id, int Missing)> ids)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var newest = new Dictionary<string, (int Order, string Id, int Missing)>(StringComparer.Ordinal);
        foreach (var (id, missing) in ids)
        {
            if (!seen.Add(id))
                return $"{mailbox} showed {id} twice";
            if (StrangeFault(mailbox, id) is { } fault)
                return fault;
            var message = _messages[(mailbox, id)];
            var last = newest.GetValueOrDefault(message.Sender, (Order: -1, Id: "", Missing: 0));
            var isLate = last.Order > message.Order;
            if (isLate && last.Missing == 0)
                return $"{mailbox} showed {id} of {message.Sender} after {last.Id}, which was sent later, "
                    + "and did not say that one was missing";
            newest[message.Sender] = isLate
                ? last with { Missing = last.Missing + missing - 1 }
                : (message.Order, id, last.Missing + missing);
        }

        return null;
    }

    private string? StrangeFault(string mailbox, string id) =>
        !_messages.TryGetValue((mailbox, id), out var message) ? $"{mailbox} has {id}, which nobody sent"
        : message.Refused ? $"{mailbox} has {id}, which was refused"
        : null;

    private sealed record Reading(string Mailbox, IReadOnlyList<string> Ids, TimeSpan Invoked, TimeSpan? Returned);

    /// <param name="order">Rises with every message of the history, so with every one of a sender too.</param>
    private sealed class Message(string sender, int order, TimeSpan sent)
    {
        public string Sender => sender;
        public int Order => order;
        public TimeSpan Sent => sent;
        public TimeSpan? Kept { get; set; }
        public TimeSpan? Burying { get; set; }
        public TimeSpan? Buried { get; set; }
        public bool Refused { get; set; }
    }
}
