namespace ChordChat.Core.Tiles.Sets;

/// <summary>What a replica does about rows that have become old: names them, tells how they stand, forgets
/// tombstones.</summary>
/// <remarks>docs/protocol.md#tombstones.</remarks>
internal sealed class ReplicaAges(IReplicaStore store, TrackedRows rows, RowAges ages)
{
    /// <summary>A century: older rows are no older.</summary>
    private const long AgeMaxMs = 100L * 365 * 24 * 3_600_000;

    public ReplicaReply.Aged List(ReplicaRequest.ListAged request, ReplicaTime now)
    {
        var wait = (long)(ages.PerRank.TotalMilliseconds * request.Rank);
        var read = store.ReadEntryStamps(request.At.Tile, request.After, TrackedRows.RowsAtOnce);
        return new(
            [.. read.Where(entry => HasAge(entry.IsBuried, entry.SinceMs, now.RanMs - wait))],
            read.Count < TrackedRows.RowsAtOnce ? null : new(Entries: true, read[^1].Set, read[^1].Id));
    }

    public ReplicaReply Tell(ReplicaRequest.GetAges request, ReplicaTime now) => new ReplicaReply.Ages(
        [.. request.Ids.Select(id => AgeOf(store.GetEntry(request.At.Tile, request.Set, id), now))]);

    public ReplicaReply Forget(ReplicaRequest.Forget request, ReplicaTime now)
    {
        foreach (var id in request.Ids)
            if (AgeOf(store.GetEntry(request.At.Tile, request.Set, id), now) == EntryAge.OldTombstone)
                rows.Forget(request.At.Tile, request.Set, id);
        return Replies.Forgotten;
    }

    public EntryAge AgeOf(TransferredEntry? entry, ReplicaTime now) => entry switch
    {
        null => EntryAge.Absent,
        { Content: null } row => HasAge(true, row.SinceMs, now.RanMs) ? EntryAge.OldTombstone : EntryAge.Tombstone,
        { } row => HasAge(false, row.SinceMs, now.RanMs) ? EntryAge.ExpiredMessage : EntryAge.Message,
    };

    /// <summary>From when on a row counts here that has its age from another replica. A page without a time: from
    /// now.</summary>
    /// <remarks>Both numbers are the other's word: whoever makes them up makes the row old, or new.</remarks>
    public static long SinceHere(TilePage page, TransferredEntry entry, long ranMs) =>
        ranMs - (long)Int128.Clamp((Int128)page.RanMs - entry.SinceMs, 0, AgeMaxMs);

    /// <summary>Any number may be on the disk.</summary>
    private bool HasAge(bool isBuried, long sinceMs, long ranMs) =>
        (Int128)ranMs - sinceMs >= (Int128)(isBuried ? ages.TombstoneAge : ages.MessageAge).TotalMilliseconds;
}
