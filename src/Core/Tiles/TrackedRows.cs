using System.Collections.Immutable;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles;

/// <summary>The rows of a replica's tiles, written so that their digests follow.</summary>
/// <remarks>A digest is worked out from the rows when it is first asked for, some thousand rows at a time, and follows
/// every write from then on, also into the next epoch; it is forgotten with the rows and with the process.</remarks>
internal sealed class TrackedRows(IReplicaStore store)
{
    /// <summary>Rows looked at in one request, so that no other waits for long.</summary>
    public const int RowsAtOnce = 4096;

    private readonly Dictionary<TileId, Tally> _tallies = [];

    /// <summary>The digest, or null while it is still being worked out: ask again.</summary>
    public TileDigest? Digest(TileEpoch at)
    {
        if (!_tallies.TryGetValue(at.Tile, out var tally) || tally.At != at)
            _tallies[at.Tile] = tally = new Tally(at);
        if (tally.Behind is { } after)
        {
            var rows = store.ReadStamps(at.Tile, after, RowsAtOnce);
            foreach (var row in rows)
                tally.Digest.Add(row);
            tally.Behind = rows.Count < RowsAtOnce ? null : rows[^1].At;
        }

        return tally.Behind is null ? tally.Digest : null;
    }

    /// <summary>The rows are now those of another epoch; their digest goes on.</summary>
    public void Carry(TileEpoch from, TileEpoch to)
    {
        if (_tallies.TryGetValue(from.Tile, out var tally) && tally.At == from)
            tally.At = to;
    }

    /// <summary>The digests of the halves are worked out anew.</summary>
    public void Split(TileId tile)
    {
        _tallies.Remove(tile);
        store.SplitRows(tile);
    }

    public void Drop(TileId tile)
    {
        _tallies.Remove(tile);
        store.DropRows(tile);
    }

    /// <summary>Rows of some buckets behind a place that <paramref name="isWanted"/>, up to another place or the
    /// end.</summary>
    public TilePage Read(
        TileId tile, BucketSet buckets, TileCursor after, TileCursor? upTo, int bytesMax, Func<RowStamp, bool> isWanted)
    {
        var registers = ImmutableArray.CreateBuilder<TransferredRegister>();
        var entries = ImmutableArray.CreateBuilder<TransferredEntry>();
        var bytes = 0;
        var read = store.ReadStamps(tile, after, RowsAtOnce);
        foreach (var row in read)
        {
            if (upTo is { } end && row.At > end)
                return Page(null);
            if (buckets.Contains(row.Bucket) && isWanted(row))
                bytes += Take(tile, row, registers, entries);
            if (bytes >= bytesMax)
                return Page(row.At);
        }

        return Page(read.Count < RowsAtOnce ? null : read[^1].At);

        TilePage Page(TileCursor? next) => new(registers.ToImmutable(), entries.ToImmutable(), next);
    }

    public RegisterRow GetRegister(TileId tile, string key) => store.GetRegister(tile, key);

    public void PutRegister(TileId tile, string key, RegisterRow before, RegisterRow row)
    {
        store.PutRegister(tile, key, row);
        if (_tallies.TryGetValue(tile, out var tally) && row.AcceptedBallot != before.AcceptedBallot)
            tally.Replace(
                before.AcceptedBallot.IsNone ? null : RowStamp.Register(key, before.AcceptedBallot),
                RowStamp.Register(key, row.AcceptedBallot));
    }

    public SetInsert Insert(TileId tile, string set, SetMessage message, long nowMs, SetLimits limits)
    {
        var insert = store.Insert(tile, set, message, nowMs, limits);
        if (insert.Result == SetInsertResult.Added && _tallies.TryGetValue(tile, out var tally))
            tally.Replace(null, RowStamp.Entry(set, message.Id, isBuried: false));
        return insert;
    }

    public SetBurial Bury(TileId tile, string set, MessageId id, long nowMs)
    {
        var burial = store.Bury(tile, set, id, nowMs);
        if (burial != SetBurial.Nothing && _tallies.TryGetValue(tile, out var tally))
            tally.Replace(
                burial == SetBurial.Message ? RowStamp.Entry(set, id, isBuried: false) : null,
                RowStamp.Entry(set, id, isBuried: true));
        return burial;
    }

    public void Forget(TileId tile, string set, MessageId id)
    {
        if (store.Forget(tile, set, id) && _tallies.TryGetValue(tile, out var tally))
            tally.Remove(RowStamp.Entry(set, id, isBuried: true));
    }

    private int Take(
        TileId tile,
        RowStamp row,
        ImmutableArray<TransferredRegister>.Builder registers,
        ImmutableArray<TransferredEntry>.Builder entries)
    {
        if (!row.At.Entries)
        {
            var register = store.GetRegister(tile, row.At.Name!);
            registers.Add(new(row.At.Name!, register.AcceptedBallot, register.Value));
            return register.Value.Length + 128;
        }

        if (store.GetEntry(tile, row.At.Name!, row.At.Id) is not { } entry)
            return 0;
        entries.Add(entry);
        return (entry.Content?.Length ?? 0) + 64;
    }

    private sealed class Tally(TileEpoch at)
    {
        public TileEpoch At { get; set; } = at;

        public TileDigest Digest { get; } = new();

        /// <summary>The last row that was counted, while there may be more behind it; those are counted later, as they
        /// are then.</summary>
        public TileCursor? Behind { get; set; } = default(TileCursor);

        public void Replace(RowStamp? before, RowStamp after)
        {
            if (before is { } row)
                Remove(row);
            if (IsCounted(after))
                Digest.Add(after);
        }

        public void Remove(RowStamp row)
        {
            if (IsCounted(row))
                Digest.Remove(row);
        }

        private bool IsCounted(RowStamp row) => Behind is not { } last || row.At <= last;
    }
}
