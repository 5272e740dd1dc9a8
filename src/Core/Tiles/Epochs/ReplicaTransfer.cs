using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>The part of a replica that gives its rows to learners, and unites what it learns itself.</summary>
/// <remarks>docs/protocol.md#transfer.</remarks>
internal sealed class ReplicaTransfer(
    NodeId self, IReplicaStore store, TrackedRows rows, ReplicaRules rules, ValueJudge judge)
{
    /// <summary>An hour: the way of a page makes smaller differences.</summary>
    private const long YoungerMinMs = 3_600_000;

    public ReplicaReply Pull(TileHeader header, ReplicaRequest.Pull request, long ranMs)
    {
        var here = header.Configuration;
        var complete = header is { Phase: TilePhase.Active or TilePhase.Sealed } && here.At == request.At;
        var ended = header.Phase == TilePhase.Sealed || (!rules.SealingStops && header.Phase == TilePhase.Active);
        var source = ended && here.Generation == request.At.Generation && here.Epoch + 1 == request.At.Epoch;
        if (header.Newest.Generation > here.Generation)
            (complete, source) = (false, header.Newest.At == request.At); // A survivor serves its order only.
        if (!complete && !source)
            return header.WhyNot(request.At);
        return new ReplicaReply.Pulled(Page(here, request) with { RanMs = ranMs }, complete);
    }

    /// <summary>What is in the buckets that differ from the asker's; all of it when the asker has nothing.</summary>
    private TilePage Page(TileConfiguration here, ReplicaRequest.Pull request)
    {
        var bytes = Math.Clamp(request.BytesMax, 1, Replica.PageBytesMax);
        if (request.Theirs.IsDefaultOrEmpty)
            return store.ReadPage(here.Tile, request.After, bytes);
        if (rows.Digest(here.At) is not { } digest)
            return TilePage.Empty with { Next = request.After }; // Not worked out yet: ask again.
        var buckets = digest.Differing(request.Theirs);
        return buckets.IsEmpty
            ? TilePage.Empty
            : rows.Read(here.Tile, buckets, request.After, null, bytes, _ => true);
    }

    /// <summary>Only of rows that nobody but a learner writes to any more. Whoever goes on looks at its own copy, as
    /// long as those who leave keep theirs.</summary>
    public ReplicaReply Sums(TileHeader header, ReplicaRequest.Sums request)
    {
        if (header.Phase != TilePhase.Sealed || header.Configuration.At != request.At)
            return header.WhyNot(request.At);
        var page = store.ReadPage(header.Tile, request.After, Replica.PageBytesMax);
        return page.Next is { } next
            ? new ReplicaReply.Summed(null, next)
            : new ReplicaReply.Summed(rows.Digest(request.At)?.Sums, request.After);
    }

    public ReplicaReply Absorb(TileHeader header, TileEpoch at, TilePage page, long ranMs)
    {
        if (!IsLearning(header, at))
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        var tile = header.Tile;
        var contested = ImmutableArray.CreateBuilder<ContestedRegister>();
        foreach (var register in page.Registers)
        {
            var row = rows.GetRegister(tile, register.Key);
            var union = judge.Unite(at, register.Key, row, register);
            if (union == Union.TakesCopy)
                Take(tile, register.Key, row, register.AcceptedBallot, register.Value);
            else if (union == Union.IsContested)
                contested.Add(new(
                    new(register.Key, row.AcceptedBallot, row.Value), register, judge.BesideOf(register.Key)));
        }

        foreach (var entry in page.Entries.Where(judge.MayTake))
        {
            var since = ReplicaAges.SinceHere(page, entry, ranMs);
            if (entry.Content is { } content)
                rows.Insert(tile, entry.Set, new SetMessage(entry.Id, content), since, SetLimits.None);
            else
                Bury(tile, entry, since);
        }

        return contested.Count == 0 ? Replies.Done : new ReplicaReply.Contested(contested.ToImmutable());
    }

    /// <summary>A tombstone is as old as the youngest one of a learner's sources: one of them alone would make it so
    /// old that it is forgotten at once, and the message could come again.</summary>
    private void Bury(TileId tile, TransferredEntry entry, long since)
    {
        if (rows.Bury(tile, entry.Set, entry.Id, since) != SetBurial.Nothing
            || store.GetEntry(tile, entry.Set, entry.Id) is not { Content: null } here
            || since - here.SinceMs < YoungerMinMs)
            return;
        rows.Forget(tile, entry.Set, entry.Id);
        rows.Bury(tile, entry.Set, entry.Id, since);
    }

    private void Take(TileId tile, string key, RegisterRow row, Ballot accepted, ReadOnlyMemory<byte> value) =>
        rows.PutRegister(tile, key, row, row with { AcceptedBallot = accepted, Value = value });

    public ReplicaReply Believe(TileHeader header, ReplicaRequest.Believe request)
    {
        if (!IsLearning(header, request.At))
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        var row = rows.GetRegister(header.Tile, request.Key);
        // As it is now: a page that was united meanwhile may have brought a newer one.
        var own = new HeardRegister(new(request.Key, row.AcceptedBallot, row.Value), request.OwnVotes);
        var settled = judge.Settle(
            request.At, request.Key, row, [own, .. request.Heard], request.Majority, request.IsFinal);
        if (settled is null && !request.IsFinal)
            return new ReplicaReply.Contested([]);
        if (settled is { Accepted.IsNone: false } found)
            Take(header.Tile, request.Key, row, found.Accepted, found.Value);
        return Replies.Done;
    }

    /// <summary>Learning, or sealed in the epoch before and a member of the next: its own rows count already.</summary>
    public bool IsLearning(TileHeader header, TileEpoch at) =>
        header.Newest.At == at && header.Newest.Contains(self)
        && (header.Phase == TilePhase.Learning || (header.Phase == TilePhase.Sealed && header.Pending is not null));
}
