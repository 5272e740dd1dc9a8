namespace ChordChat.Core.Replication;

/// <summary>The rows of active tiles, written so that their digests follow.</summary>
/// <remarks>A digest is worked out from the rows when it is first asked for, some thousand rows at a time, and follows
/// every write from then on; it is forgotten with the epoch and with the process.</remarks>
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

    public void Bury(TileId tile, string set, MessageId id, long nowMs)
    {
        var burial = store.Bury(tile, set, id, nowMs);
        if (burial != SetBurial.Nothing && _tallies.TryGetValue(tile, out var tally))
            tally.Replace(
                burial == SetBurial.Message ? RowStamp.Entry(set, id, isBuried: false) : null,
                RowStamp.Entry(set, id, isBuried: true));
    }

    private sealed class Tally(TileEpoch at)
    {
        public TileEpoch At => at;

        public TileDigest Digest { get; } = new();

        /// <summary>The last row that was counted, while there may be more behind it; those are counted later, as they
        /// are then.</summary>
        public TileCursor? Behind { get; set; } = default(TileCursor);

        public void Replace(RowStamp? before, RowStamp after)
        {
            if (Behind is { } last && after.At > last)
                return;
            if (before is { } row)
                Digest.Remove(row);
            Digest.Add(after);
        }
    }
}
