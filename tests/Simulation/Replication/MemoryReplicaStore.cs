using System.Collections.Immutable;
using ChordChat.Core.Replication;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>A replica's rows in memory, on a disk that can lose what was not synced.</summary>
public sealed class MemoryReplicaStore : IReplicaStore
{
    private readonly DurableMap<TileId, TileHeader> _headers;
    private readonly DurableMap<(TileId, string), RegisterRow> _registers;
    private readonly DurableMap<(TileId, string, MessageId), Entry> _entries;
    private readonly DurableMap<string, long> _counters;

    public MemoryReplicaStore(Disk disk)
    {
        _headers = new(disk, new SortedDictionary<TileId, TileHeader>());
        _registers = new(disk, new SortedDictionary<(TileId, string), RegisterRow>(Comparer<(TileId, string)>.Create(
            static (a, b) => Compare(a.Item1, a.Item2, default, b.Item1, b.Item2, default))));
        _entries = new(disk, new SortedDictionary<(TileId, string, MessageId), Entry>(
            Comparer<(TileId, string, MessageId)>.Create(
                static (a, b) => Compare(a.Item1, a.Item2, a.Item3, b.Item1, b.Item2, b.Item3))));
        _counters = new(disk, new Dictionary<string, long>());
    }

    public IEnumerable<TileHeader> Headers() => _headers.Rows.Values.ToArray();

    public void PutHeader(TileHeader header) => _headers.Put(header.Tile, header);

    public RegisterRow GetRegister(TileId tile, string key) => _registers[(tile, key)];

    public void PutRegister(TileId tile, string key, RegisterRow row) => _registers.Put((tile, key), row);

    public SetInsert Insert(TileId tile, string name, SetMessage message, long nowMs, SetLimits limits)
    {
        if (_entries.TryGet((tile, name, message.Id), out var entry))
            return entry.Content is null ? new(SetInsertResult.Buried, 0) : new(SetInsertResult.Present, entry.Arrival);
        var live = Live(tile, name).ToArray();
        if (live.Length >= limits.CountMax
            || live.Sum(row => (long)row.Value.Content!.Value.Length) + message.Content.Length > limits.BytesMax)
            return new(SetInsertResult.Full, 0);
        var arrival = _counters["arrival"] + 1;
        _counters.Put("arrival", arrival);
        _entries.Put((tile, name, message.Id), new Entry(message.Content, arrival, nowMs));
        return new(SetInsertResult.Added, arrival);
    }

    public void Bury(TileId tile, string name, MessageId id, long nowMs)
    {
        if (!_entries.TryGet((tile, name, id), out var entry) || entry.Content is not null)
            _entries.Put((tile, name, id), new Entry(null, entry.Arrival, nowMs));
    }

    public ReplicaReply.Scanned Scan(TileId tile, string name, long after, int rowsMax, int bytesMax)
    {
        var rows = Live(tile, name).Where(row => row.Value.Arrival > after).OrderBy(row => row.Value.Arrival).ToArray();
        var messages = ImmutableArray.CreateBuilder<SetMessage>();
        var (bytes, next) = (0, after);
        foreach (var (key, entry) in rows)
        {
            if (messages.Count >= rowsMax || bytes >= bytesMax)
                break;
            messages.Add(new SetMessage(key.Item3, entry.Content!.Value));
            bytes += entry.Content.Value.Length;
            next = entry.Arrival;
        }

        return new ReplicaReply.Scanned(messages.ToImmutable(), next, messages.Count < rows.Length);
    }

    public TilePage ReadPage(TileId tile, TileCursor after, int bytesMax)
    {
        var registers = ImmutableArray.CreateBuilder<TransferredRegister>();
        var entries = ImmutableArray.CreateBuilder<TransferredEntry>();
        var bytes = 0;
        if (!after.Entries)
        {
            foreach (var ((where, key), row) in _registers.Rows)
            {
                if (where != tile || row.AcceptedBallot.IsNone || string.CompareOrdinal(key, after.Name) <= 0)
                    continue;
                registers.Add(new TransferredRegister(key, row.AcceptedBallot, row.Value));
                if ((bytes += row.Value.Length + 100) >= bytesMax)
                    return new TilePage(registers.ToImmutable(), [], new TileCursor(false, key, default));
            }

            after = new TileCursor(true, null, default);
        }

        foreach (var ((where, name, id), entry) in _entries.Rows)
        {
            if (where != tile || Compare(where, name, id, where, after.Name ?? "", after.Id) <= 0)
                continue;
            entries.Add(new TransferredEntry(name, id, entry.Content, entry.SinceMs));
            if ((bytes += (entry.Content?.Length ?? 0) + 50) >= bytesMax)
                return new TilePage(registers.ToImmutable(), entries.ToImmutable(), new TileCursor(true, name, id));
        }

        return new TilePage(registers.ToImmutable(), entries.ToImmutable(), null);
    }

    public void DropRows(TileId tile)
    {
        foreach (var key in _registers.Rows.Keys.Where(key => key.Item1 == tile).ToArray())
            _registers.Remove(key);
        foreach (var key in _entries.Rows.Keys.Where(key => key.Item1 == tile).ToArray())
            _entries.Remove(key);
    }

    /// <summary>What a disk does that forgets promises: the planted bug "promise not durable".</summary>
    public void ForgetPromises()
    {
        foreach (var (key, row) in _registers.Rows.ToArray())
            _registers.Put(key, row with { Promised = default });
        foreach (var (tile, header) in _headers.Rows.ToArray())
            _headers.Put(tile, header with { NextPromised = default });
    }

    private IEnumerable<KeyValuePair<(TileId, string, MessageId), Entry>> Live(TileId tile, string name) =>
        _entries.Rows.Where(row => row.Key.Item1 == tile && row.Key.Item2 == name && row.Value.Content is not null);

    private static int Compare(TileId tile, string name, MessageId id, TileId tile2, string name2, MessageId id2)
    {
        var byTile = tile.CompareTo(tile2);
        var byName = byTile != 0 ? byTile : string.CompareOrdinal(name, name2);
        return byName != 0 ? byName : id.CompareTo(id2);
    }

    private readonly record struct Entry(ReadOnlyMemory<byte>? Content, long Arrival, long SinceMs);
}
