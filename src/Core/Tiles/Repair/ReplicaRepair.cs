using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles.Repair;

/// <summary>What a replica does to compare its copy of a tile with another and to make both whole.</summary>
/// <remarks>docs/protocol.md#repair.</remarks>
internal sealed class ReplicaRepair(
    NodeId self, IReplicaStore store, TrackedRows rows, ReplicaAges ages, ValueJudge judge, PeerBudgets budgets,
    Func<TileEpoch, ReplicaReply?> refusal)
{
    /// <summary>Tiles told of in full in one answer: 4 KiB each.</summary>
    private const int DifferingMax = 64;

    /// <summary>Tiles that one question may name, and of which some rows are read for it.</summary>
    private const int ComparedMax = 256;
    private const int ReadForMax = 4;

    public ReplicaReply Summarize(ReplicaRequest.Summarize request) =>
        new ReplicaReply.Summary(rows.Digest(request.At)?.Root);

    /// <summary>Tiles that are not this replica's at just that epoch, and those whose digest is not ready, are left
    /// out: next time.</summary>
    public ReplicaReply Compare(ReplicaRequest.Compare request)
    {
        var differing = ImmutableArray.CreateBuilder<TileSums>();
        var reads = 0;
        foreach (var tile in request.Tiles.DistinctBy(tile => tile.At).Take(ComparedMax))
            if (differing.Count == DifferingMax || reads == ReadForMax)
                break;
            else if (refusal(tile.At) is not null)
                continue;
            else if (rows.Digest(tile.At) is not { } digest)
                reads++;
            else if (digest.Root != tile.Root)
                differing.Add(new(tile.At, digest.Sums));
        return new ReplicaReply.Differing(differing.ToImmutable());
    }

    public ReplicaReply List(ReplicaRequest.ListRows request)
    {
        var buckets = rows.Digest(request.At)?.Differing(request.Theirs) ?? default;
        if (buckets.IsEmpty)
            return new ReplicaReply.Listed(buckets, [], null);
        var read = store.ReadStamps(request.At.Tile, request.After, TrackedRows.RowsAtOnce);
        return new ReplicaReply.Listed(
            buckets,
            [.. read.Where(row => buckets.Contains(row.Bucket))],
            read.Count < TrackedRows.RowsAtOnce ? null : read[^1].At);
    }

    /// <summary>The rows of these buckets, up to a place, that the other has not or has in an older state.</summary>
    public ReplicaReply Missing(ReplicaRequest.Missing request, ReplicaTime now)
    {
        var have = new Dictionary<TileCursor, RowStamp>(request.Have.Length);
        foreach (var row in request.Have)
            have[row.At] = row;
        var page = rows.Read(
            request.At.Tile, request.Buckets, request.After, request.UpTo, Replica.PageBytesMax / 2, IsWanted);
        return new ReplicaReply.Pulled(page with { RanMs = now.RanMs }, Complete: true);

        // An old tombstone and no row say the same; sent, it would come back to whoever has just forgotten it.
        bool IsWanted(RowStamp row) => have.TryGetValue(row.At, out var theirs)
            ? IsNewer(row, theirs)
            : !row.IsBuried || ages.AgeOf(store.GetEntry(request.At.Tile, row.At.Name!, row.At.Id), now)
                != EntryAge.OldTombstone;
    }

    /// <summary>Takes rows of another active member of the same epoch: accepted values as a late Accept would bring
    /// them, messages and tombstones united.</summary>
    /// <param name="hasRoom">Otherwise nothing new is taken: the next repair brings it again.</param>
    public ReplicaReply Mend(ReplicaRequest.Mend request, bool hasRoom, ReplicaTime now)
    {
        var tile = request.At.Tile;
        foreach (var register in request.Page.Registers)
            Mend(request.At, register, request.Source ?? self, hasRoom, now);
        foreach (var entry in request.Page.Entries.Where(judge.MayTake))
            if (entry.Content is { } content)
                rows.Insert(
                    tile, entry.Set, new SetMessage(entry.Id, content),
                    ReplicaAges.SinceHere(request.Page, entry, now.RanMs),
                    hasRoom ? SetLimits.None : SetLimits.Nothing);
            else
                rows.Bury(tile, entry.Set, entry.Id, now.RanMs);
        return Replies.Done;
    }

    private void Mend(TileEpoch at, TransferredRegister register, NodeId from, bool hasRoom, ReplicaTime now)
    {
        var (key, accepted, value) = (register.Key, register.AcceptedBallot, register.Value);
        var row = rows.GetRegister(at.Tile, key);
        if ((!hasRoom && row.AcceptedBallot.IsNone) || !IsNewer(at, row, accepted))
            return;
        if (ValueJudge.IsLeap(at, row, accepted))
        {
            if (!judge.IsSound(key, value))
                return;
            if (budgets.InsteadOf(accepted, row.Highest, from, now.RanMs) is { } instead)
            {
                // A later repair takes it: docs/protocol.md#rounds-apart.
                if (instead != row.Highest)
                    rows.PutRegister(at.Tile, key, row, row with { Promised = instead });
                return;
            }
        }

        // Judged first: what a promise forbids to take may all the same tell of a dispute.
        if (judge.Fits(at, key, row, value, from) && accepted >= row.Promised)
            Take(at, key, row, accepted, value);
    }

    /// <summary>Takes what a majority holds under one ballot, so what was chosen: the value here never was.</summary>
    /// <remarks>docs/protocol.md#value-rules. Also below a promise, which stays: whoever it was given to has heard of
    /// that ballot, or of a larger one, from somebody of the majority. However far ahead it is: one of them does not
    /// lie.</remarks>
    public ReplicaReply Concede(ReplicaRequest.Concede request)
    {
        var row = rows.GetRegister(request.At.Tile, request.Key);
        if (IsNewer(request.At, row, request.Ballot) && judge.IsSound(request.Key, request.Value))
            Take(request.At, request.Key, row, request.Ballot, request.Value);
        judge.Disputes.Drop(new Dispute(request.At, request.Key));
        return Replies.Done;
    }

    private static bool IsNewer(TileEpoch at, RegisterRow row, Ballot accepted) =>
        accepted > row.AcceptedBallot && accepted.Epoch <= at.Epoch;

    private void Take(TileEpoch at, string key, RegisterRow row, Ballot ballot, ReadOnlyMemory<byte> value) =>
        rows.PutRegister(at.Tile, key, row, new RegisterRow(Ballot.Max(row.Promised, ballot), ballot, value));

    private static bool IsNewer(RowStamp ours, RowStamp theirs) =>
        ours.Accepted > theirs.Accepted || (ours.IsBuried && !theirs.IsBuried);
}
