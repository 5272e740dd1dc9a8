using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>A replica's rows in memory, on a disk that can lose what was not synced and flip a bit in what
/// was.</summary>
public sealed class MemoryReplicaStore : IReplicaStore
{
    /// <summary>How <see cref="Contents"/> calls a tombstone.</summary>
    public const string Buried = "buried";

    private static readonly TileRows Nothing = new();

    private readonly Disk _disk;
    private readonly SortedDictionary<TileId, TileHeader> _headers = [];
    private readonly Dictionary<TileId, TileRows> _tiles = [];
    private readonly HashSet<object> _damaged = [];
    private long _arrival;

    public MemoryReplicaStore(Disk disk) => _disk = disk;

    /// <summary>A copy of another disk, as a backup or a cloned machine has it: what was synced there.</summary>
    public MemoryReplicaStore(Disk disk, MemoryReplicaStore image)
    {
        _disk = disk;
        _arrival = image._arrival;
        foreach (var (tile, header) in image._headers)
            _headers[tile] = header;
        foreach (var (tile, rows) in image._tiles)
            _tiles[tile] = new TileRows(rows);
        _damaged.UnionWith(image._damaged);
    }

    /// <summary>Told of each damaged row that was come upon.</summary>
    public Action? FoundDamaged { get; set; }

    /// <summary>Whether a burial leaves a tombstone. Only a planted mistake switches it off.</summary>
    public bool KeepsTombstones { get; init; } = true;

    /// <summary>How many rows hold a flipped bit that nobody has come upon yet.</summary>
    public int DamagedCount => _damaged.Count;

    /// <exception cref="DamagedRowException">A header does not match its checksum.</exception>
    public IEnumerable<TileHeader> Headers()
    {
        foreach (var tile in _headers.Keys)
            if (_damaged.Contains(tile))
                throw new DamagedRowException($"{tile}");
        return _headers.Values.ToArray();
    }

    public void PutHeader(TileHeader header)
    {
        var had = _headers.TryGetValue(header.Tile, out var before);
        _disk.Wrote(() => Restore(_headers, header.Tile, had, before!));
        _headers[header.Tile] = header;
        _damaged.Remove(header.Tile);
    }

    public RegisterRow GetRegister(TileId tile, string key)
    {
        RequireSound(tile, (tile, key));
        return RowsOf(tile).Registers.GetValueOrDefault(key);
    }

    public void PutRegister(TileId tile, string key, RegisterRow row)
    {
        var registers = WritableRowsOf(tile).Registers;
        var had = registers.TryGetValue(key, out var before);
        _disk.Wrote(() => Restore(registers, key, had, before));
        registers[key] = row;
    }

    public SetInsert Insert(TileId tile, string name, SetMessage message, long nowMs, SetLimits limits)
    {
        var rows = WritableRowsOf(tile);
        if (rows.Entries.TryGetValue((name, message.Id), out var entry))
            return entry.Content is null ? new(SetInsertResult.Buried, 0) : new(SetInsertResult.Present, entry.Arrival);
        var (count, bytes, tombstones) = rows.Sizes.GetValueOrDefault(name);
        if (count >= limits.CountMax || bytes + message.Content.Length > limits.BytesMax
            || tombstones >= limits.TombstoneCountMax)
            return new(SetInsertResult.Full, 0);
        PutEntry(rows, name, message.Id, new Entry(message.Content, NextArrival(), nowMs));
        return new(SetInsertResult.Added, _arrival);
    }

    public SetBurial Bury(TileId tile, string name, MessageId id, long nowMs)
    {
        var rows = WritableRowsOf(tile);
        var had = rows.Entries.TryGetValue((name, id), out var entry);
        if (had && entry.Content is null)
            return SetBurial.Nothing;
        PutEntry(rows, name, id, new Entry(null, entry.Arrival, nowMs));
        if (!KeepsTombstones)
            rows.Entries.Remove((name, id));
        _damaged.Remove((tile, name, id));
        return had ? SetBurial.Message : SetBurial.Absence;
    }

    public ReplicaReply.Scanned Scan(TileId tile, string name, long after, int rowsMax, int bytesMax)
    {
        var messages = ImmutableArray.CreateBuilder<SetMessage>();
        var (bytes, next, more) = (0, after, false);
        foreach (var (key, entry) in Live(RowsOf(tile), name).Where(row => row.Value.Arrival > after)
            .OrderBy(row => row.Value.Arrival))
        {
            more = messages.Count >= rowsMax || bytes >= bytesMax;
            if (more)
                break;
            next = entry.Arrival;
            RequireSound(tile, (tile, name, key.Id));
            messages.Add(new SetMessage(key.Id, entry.Content!.Value));
            bytes += entry.Content.Value.Length;
        }

        return new ReplicaReply.Scanned(messages.ToImmutable(), next, more);
    }

    public TilePage ReadPage(TileId tile, TileCursor after, int bytesMax)
    {
        var registers = ImmutableArray.CreateBuilder<TransferredRegister>();
        var entries = ImmutableArray.CreateBuilder<TransferredEntry>();
        var rows = RowsOf(tile);
        var bytes = 0;
        if (!after.Entries)
        {
            foreach (var (key, row) in rows.Registers)
            {
                if (row.AcceptedBallot.IsNone || string.CompareOrdinal(key, after.Name) <= 0)
                    continue;
                RequireSound(tile, (tile, key));
                registers.Add(new TransferredRegister(key, row.AcceptedBallot, row.Value));
                if ((bytes += row.Value.Length + 100) >= bytesMax)
                    return new TilePage(registers.ToImmutable(), [], new TileCursor(false, key, default));
            }

            after = new TileCursor(true, null, default);
        }

        foreach (var ((name, id), entry) in rows.Entries)
        {
            if (TileRows.Compare((name, id), (after.Name ?? "", after.Id)) <= 0)
                continue;
            RequireSound(tile, (tile, name, id));
            entries.Add(new TransferredEntry(name, id, entry.Content, entry.SinceMs));
            if ((bytes += (entry.Content?.Length ?? 0) + 50) >= bytesMax)
                return new TilePage(registers.ToImmutable(), entries.ToImmutable(), new TileCursor(true, name, id));
        }

        return new TilePage(registers.ToImmutable(), entries.ToImmutable(), null);
    }

    public IReadOnlyList<RowStamp> ReadStamps(TileId tile, TileCursor after, int count)
    {
        var rows = RowsOf(tile);
        var registers = rows.Registers.Where(row => !row.Value.AcceptedBallot.IsNone)
            .Select(row => RowStamp.Register(row.Key, row.Value.AcceptedBallot));
        var entries = rows.Entries.Select(row => RowStamp.Entry(row.Key.Name, row.Key.Id, row.Value.Content is null));
        return [.. registers.Concat(entries).Where(row => row.At > after).Take(count)];
    }

    public TransferredEntry? GetEntry(TileId tile, string name, MessageId id)
    {
        RequireSound(tile, (tile, name, id));
        return RowsOf(tile).Entries.TryGetValue((name, id), out var entry)
            ? new TransferredEntry(name, id, entry.Content, entry.SinceMs)
            : null;
    }

    public void SplitRows(TileId tile)
    {
        var rows = RowsOf(tile);
        var damaged = _damaged.Where(row => TileOf(row) == tile).ToArray();
        var before = _damaged.ToArray();
        _disk.Wrote(() =>
        {
            _damaged.Clear();
            _damaged.UnionWith(before);
        });
        DropRows(tile);
        foreach (var (key, row) in rows.Registers)
            PutRegister(HalfOf(tile, key), key, row);
        foreach (var ((name, id), entry) in rows.Entries)
            PutEntry(WritableRowsOf(HalfOf(tile, name)), name, id, entry);
        foreach (var row in damaged)
            _damaged.Add(row is (TileId, string set, MessageId id)
                ? (HalfOf(tile, set), set, id)
                : (HalfOf(tile, (((TileId, string))row).Item2), (((TileId, string))row).Item2));
    }

    public IReadOnlyList<EntryStamp> ReadEntryStamps(TileId tile, TileCursor after, int count) =>
    [
        .. RowsOf(tile).Entries
            .Where(row => TileRows.Compare(row.Key, (after.Name ?? "", after.Id)) > 0)
            .Take(count)
            .Select(row => new EntryStamp(row.Key.Name, row.Key.Id, row.Value.Content is null, row.Value.SinceMs)),
    ];

    public bool Forget(TileId tile, string name, MessageId id)
    {
        var (entries, sizes) = (RowsOf(tile).Entries, RowsOf(tile).Sizes);
        if (!entries.TryGetValue((name, id), out var entry) || entry.Content is not null)
            return false;
        var size = sizes[name];
        _disk.Wrote(() => (entries[(name, id)], sizes[name]) = (entry, size));
        entries.Remove((name, id));
        sizes[name] = size with { Tombstones = size.Tombstones - 1 };
        _damaged.Remove((tile, name, id));
        return true;
    }

    public void DropRows(TileId tile)
    {
        if (!_tiles.Remove(tile, out var rows))
            return;
        _disk.Wrote(() => _tiles[tile] = rows);
        _damaged.RemoveWhere(row => TileOf(row) == tile);
    }

    /// <summary>What a disk does that forgets promises: the planted bug "promise not durable".</summary>
    public void ForgetPromises()
    {
        foreach (var rows in _tiles.Values)
            foreach (var (key, row) in rows.Registers.ToArray())
                rows.Registers[key] = row with { Promised = default };
        foreach (var (tile, header) in _headers.ToArray())
            _headers[tile] = header with { NextPromised = default };
    }

    /// <summary>The header as the disk has it, for checkers.</summary>
    public TileHeader? PeekHeader(TileId tile) => _headers.GetValueOrDefault(tile);

    /// <summary>What was last accepted, for checkers: not an access of the node.</summary>
    public RegisterRow PeekRegister(TileId tile, string key) => RowsOf(tile).Registers.GetValueOrDefault(key);

    /// <summary>Whether a message, or its tombstone, is here, for checkers. A damaged one is: whoever reads it is told
    /// so.</summary>
    public bool HasEntry(TileId tile, string name, MessageId id) => RowsOf(tile).Entries.ContainsKey((name, id));

    /// <summary>Whether the tombstone of a message is here, for checkers.</summary>
    public bool IsBuried(TileId tile, string name, MessageId id) =>
        RowsOf(tile).Entries.TryGetValue((name, id), out var entry) && entry.Content is null;

    /// <summary>The tiles that a scrub would find damaged rows in; a header's damage is not among them.</summary>
    public IEnumerable<TileId> DamagedTiles => _damaged.Select(TileOf).OfType<TileId>().Distinct().Order();

    public bool HasDamagedHeader => _damaged.Any(row => row is TileId);

    /// <summary>All entries of a tile, and all accepted ballots (null: something newer was promised since, so a late
    /// copy is not taken), for comparing copies.</summary>
    public IEnumerable<(string Row, string? State)> Contents(TileId tile) =>
        RowsOf(tile).Registers.Select(row => (row.Key,
                row.Value.Promised > row.Value.AcceptedBallot ? null : $"{row.Value.AcceptedBallot}"))
            .Concat(RowsOf(tile).Entries.Select(row => ($"{row.Key.Name}/{row.Key.Id.Value}",
                (string?)(row.Value.Content is null ? Buried : "kept"))));

    /// <summary>Flips a bit in one row: the <paramref name="which"/>th message, register or header, as far as there are
    /// any.</summary>
    public string? Flip(RowKind kind, int which)
    {
        List<object> rows = kind switch
        {
            RowKind.Header => [.. _headers.Keys.Select(tile => (object)tile)],
            RowKind.Register => [.. _tiles.OrderBy(tile => tile.Key)
                .SelectMany(tile => tile.Value.Registers.Keys.Select(key => (object)(tile.Key, key)))],
            _ => [.. _tiles.OrderBy(tile => tile.Key).SelectMany(tile => tile.Value.Entries
                .Where(entry => entry.Value.Content is not null)
                .Select(entry => (object)(tile.Key, entry.Key.Name, entry.Key.Id)))],
        };
        if (rows.Count == 0)
            return null;
        _damaged.Add(rows[which % rows.Count]);
        return rows[which % rows.Count].ToString();
    }

    /// <exception cref="DamagedTileException">A bit of the row was flipped.</exception>
    private void RequireSound(TileId tile, object row)
    {
        if (_damaged.Count == 0 || !_damaged.Contains(row))
            return;
        FoundDamaged?.Invoke();
        throw new DamagedTileException(tile);
    }

    /// <summary>The tile of a damaged row; null for a header.</summary>
    private static TileId? TileOf(object row) => row switch
    {
        (TileId tile, string _) => tile,
        (TileId tile, string _, MessageId _) => tile,
        _ => null,
    };

    private static TileId HalfOf(TileId tile, string name) =>
        tile.Second.Contains(RowName.PointOf(name)) ? tile.Second : tile.First;

    private TileRows RowsOf(TileId tile) => _tiles.GetValueOrDefault(tile, Nothing);

    private TileRows WritableRowsOf(TileId tile)
    {
        if (_tiles.TryGetValue(tile, out var rows))
            return rows;
        _disk.Wrote(() => _tiles.Remove(tile));
        return _tiles[tile] = new TileRows();
    }

    private void PutEntry(TileRows rows, string name, MessageId id, Entry entry)
    {
        var had = rows.Entries.TryGetValue((name, id), out var before);
        var size = rows.Sizes.GetValueOrDefault(name);
        _disk.Wrote(() =>
        {
            Restore(rows.Entries, (name, id), had, before);
            rows.Sizes[name] = size;
        });
        rows.Entries[(name, id)] = entry;
        rows.Sizes[name] = (
            size.Count + (entry.Content is null ? 0 : 1) - (before.Content is null ? 0 : 1),
            size.Bytes + (entry.Content?.Length ?? 0) - (before.Content?.Length ?? 0),
            size.Tombstones + (entry.Content is null ? 1 : 0) - (had && before.Content is null ? 1 : 0));
    }

    private long NextArrival()
    {
        var before = _arrival;
        _disk.Wrote(() => _arrival = before);
        return ++_arrival;
    }

    private static IEnumerable<KeyValuePair<(string Name, MessageId Id), Entry>> Live(TileRows rows, string name) =>
        rows.Entries.Where(row => row.Key.Name == name && row.Value.Content is not null);

    private static void Restore<TKey, TValue>(IDictionary<TKey, TValue> rows, TKey key, bool had, TValue before)
    {
        if (had)
            rows[key] = before;
        else
            rows.Remove(key);
    }

    private readonly record struct Entry(ReadOnlyMemory<byte>? Content, long Arrival, long SinceMs);

    /// <summary>The rows of one tile, in the order in which they are transferred.</summary>
    private sealed class TileRows
    {
        private static readonly Comparer<(string Name, MessageId Id)> ByNameAndId =
            Comparer<(string Name, MessageId Id)>.Create(Compare);

        public TileRows()
        {
        }

        public TileRows(TileRows other)
        {
            Registers = new(other.Registers, StringComparer.Ordinal);
            Entries = new(other.Entries, ByNameAndId);
            Sizes = new(other.Sizes, StringComparer.Ordinal);
        }

        public SortedDictionary<string, RegisterRow> Registers { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<(string Name, MessageId Id), Entry> Entries { get; } = new(ByNameAndId);

        /// <summary>Messages and their bytes, and tombstones, by set.</summary>
        public Dictionary<string, (int Count, long Bytes, int Tombstones)> Sizes { get; } = new(StringComparer.Ordinal);

        public static int Compare((string Name, MessageId Id) a, (string Name, MessageId Id) b)
        {
            var byName = string.CompareOrdinal(a.Name, b.Name);
            return byName != 0 ? byName : a.Id.CompareTo(b.Id);
        }
    }
}

/// <summary>What a flipped bit hits.</summary>
public enum RowKind
{
    Message,
    Register,
    Header,
}

/// <summary>A row that decides what this node may promise does not match its checksum: the process ends.</summary>
public sealed class DamagedRowException(string row) : Exception($"damaged row {row}");
