using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>What the entries of one tile should be, as simply as can be said.</summary>
internal sealed class EntryModel
{
    private readonly SortedDictionary<(string Set, MessageId Id), (long Arrival, byte? Content, long Since)> _rows =
        new(Comparer<(string Set, MessageId Id)>.Create((a, b) =>
            string.CompareOrdinal(a.Set, b.Set) is var order and not 0 ? order : a.Id.CompareTo(b.Id)));

    private long _lastArrival;

    public IEnumerable<string> Sets => _rows.Keys.Select(key => key.Set).Distinct();

    public IEnumerable<(string Set, MessageId Id, byte? Content, long Since)?> All =>
        _rows.Keys.Select(key => Get(key.Set, key.Id));

    public IEnumerable<MessageId> Live(string set) => _rows
        .Where(row => row.Key.Set == set && row.Value.Content is not null)
        .OrderBy(row => row.Value.Arrival)
        .Select(row => row.Key.Id);

    public SetInsert Insert(string set, MessageId id, byte[] content, long now)
    {
        if (_rows.TryGetValue((set, id), out var row))
            return row.Content is null
                ? new(SetInsertResult.Buried, 0)
                : new(SetInsertResult.Present, row.Arrival);
        _rows[(set, id)] = (++_lastArrival, content[0], now);
        return new(SetInsertResult.Added, _lastArrival);
    }

    public SetBurial Bury(string set, MessageId id, long now)
    {
        if (!_rows.TryGetValue((set, id), out var row))
        {
            _rows[(set, id)] = (++_lastArrival, null, now);
            return SetBurial.Absence;
        }

        if (row.Content is null)
            return SetBurial.Nothing;
        _rows[(set, id)] = (row.Arrival, null, now);
        return SetBurial.Message;
    }

    public bool Forget(string set, MessageId id) =>
        _rows.TryGetValue((set, id), out var row) && row.Content is null && _rows.Remove((set, id));

    public (string Set, MessageId Id, byte? Content, long Since)? Get(string set, MessageId id) =>
        _rows.TryGetValue((set, id), out var row) ? (set, id, row.Content, row.Since) : null;
}
