using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Registers;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>The part of a replica that moves it along the chain of configurations: seal, vote, learn, activate,
/// retire.</summary>
/// <remarks>docs/protocol.md#epoch-change. Lamport, Malkhi, Zhou, Reconfiguring a State Machine (2010).</remarks>
internal sealed class EpochFollower
{
    /// <summary>Nodes that were off together come back within it.</summary>
    private const long ReturningMs = 24 * 3_600_000;

    private readonly HeldTiles _held = new();
    private readonly NodeId _self;
    private readonly IReplicaStore _store;
    private readonly TrackedRows _rows;
    private readonly ReplicaRules _rules;
    private readonly ReplicaTransfer _transfer;
    private readonly PeerBudgets _budgets;
    private readonly FreshPromises _fresh;
    private readonly Dictionary<TileId, long> _readmittedMs = [];
    private readonly Dictionary<TileId, TileEpoch> _mayEnd = [];
    private List<TileHeader> _changes = [];

    public EpochFollower(
        NodeId self, IReplicaStore store, TrackedRows rows, ReplicaRules rules, ValueJudge judge, PeerBudgets budgets,
        FreshPromises fresh)
    {
        (_self, _store, _rows, _rules) = (self, store, rows, rules);
        _transfer = new(self, store, rows, rules, judge);
        (_budgets, _fresh) = (budgets, fresh);
        foreach (var header in store.Headers())
            _held.Put(header);
    }

    public IReadOnlyCollection<TileHeader> Headers => _held.All;

    public TileHeader? Header(TileId tile) => _held.Of(tile);

    /// <summary>The header that speaks for a tile: its own, or when it was cut, that of the part where the name
    /// belongs, or of any part.</summary>
    public TileHeader? Find(TileId tile, string? name) => _held.Find(tile, name);

    public void Found(IEnumerable<TileConfiguration> genesis)
    {
        foreach (var configuration in genesis)
            if (configuration.Contains(_self) && _held.Of(configuration.Tile) is null
                && !_held.IsCut(configuration.Tile))
                Put(new TileHeader(configuration, TilePhase.Active));
    }

    /// <summary>Whether others may end the epoch that a tile is in: nobody needs more time to learn in it.</summary>
    /// <remarks>docs/protocol.md#one-change-at-a-time.</remarks>
    public bool MayEnd(TileId tile) => Header(tile) is { } header
        && (header.Previous is null || header.Phase == TilePhase.Sealed
            || _mayEnd.GetValueOrDefault(tile) == header.Newest.At);

    public IReadOnlyList<TileHeader> TakeChanges()
    {
        if (_changes.Count == 0)
            return [];
        var taken = _changes;
        _changes = [];
        return taken;
    }

    public ReplicaReply Handle(ReplicaRequest request, NodeId from, long ranMs)
    {
        var tile = request.At.Tile;
        var header = Find(tile, name: null);
        return (request, header) switch
        {
            (ReplicaRequest.NewConfiguration known, _) => Learn(known.Next, known.Previous),
            (ReplicaRequest.Distrust distrust, _) => Distrust(distrust.Tile, distrust.Found),
            (ReplicaRequest.Doubt, _) => Doubt(Header(tile)),
            (ReplicaRequest.GetConfiguration, null) when _held.Above(tile) is { } wider => Standing(wider),
            (_, null) => Replies.WrongTile,
            (ReplicaRequest.Seal seal, _) when header.DecidedAt(seal.At) is { } decided =>
                new ReplicaReply.SealGranted(seal.Ballot, decided), // Nothing else can be decided any more.
            (ReplicaRequest.Decide decide, _) when header.DecidedAt(decide.At) == decide.Next => Replies.Accepted,
            (not ReplicaRequest.GetConfiguration, _) when header.Tile != tile => header.WhyNot(request.At),
            (ReplicaRequest.Seal seal, _) => Seal(header, seal, from, ranMs),
            (ReplicaRequest.Decide decide, _) => Decide(header, decide, from, ranMs),
            (ReplicaRequest.Pull pull, _) => _transfer.Pull(header, pull, ranMs),
            (ReplicaRequest.Sums sums, _) => _transfer.Sums(header, sums),
            (ReplicaRequest.GetConfiguration, _) => Standing(header) with
            {
                WasAway = WasAway(header.Tile, ranMs),
                MayEnd = header.MayVote(header.Newest.At) && MayEnd(header.Tile),
            },
            (ReplicaRequest.Absorb absorb, _) =>
                _transfer.Absorb(header, absorb.At, absorb.Page, ranMs),
            (ReplicaRequest.Believe believe, _) => _transfer.Believe(header, believe),
            (ReplicaRequest.Activate activate, _) => Activate(header, activate, ranMs),
            (ReplicaRequest.Readmit back, _) => Readmit(header, back.At, ranMs),
            (ReplicaRequest.Retire retire, _) => Retire(header, retire.At),
            (ReplicaRequest.Settle settle, _) => Settle(header, settle.At),
            (ReplicaRequest.MayEnd may, _) => MayEnd(header, may),
            _ => throw new ArgumentException($"no rule for {request}", nameof(request)),
        };
    }

    /// <summary>docs/protocol.md#scrub. From here the replica is as good as dead for this epoch; the next one takes it
    /// in as a learner, which starts empty, or leaves it out.</summary>
    public ReplicaReply Distrust(TileId tile, TileEpoch? found = null)
    {
        if (Header(tile) is not { Phase: not (TilePhase.Retired or TilePhase.Damaged) } header)
            return Replies.Done;
        if (found is { } at && header.Newest.At != at)
            return new ReplicaReply.Behind(header.Configuration);
        if (header.Newest.Contains(_self))
            Put(new TileHeader(header.Newest, TilePhase.Damaged, Previous: header.BeforeNewest));
        else
            Leave(header.Newest, header.Newest.IsOrdered(header.BeforeNewest) ? header.BeforeNewest : null);
        return Replies.Done;
    }

    /// <summary>docs/protocol.md#tombstones. A sealed or learning replica answers nothing anyhow.</summary>
    private ReplicaReply Doubt(TileHeader? header)
    {
        if (header is { Phase: TilePhase.Active })
            Put(header with { Phase = TilePhase.Away });
        return Replies.Done;
    }

    private ReplicaReply Readmit(TileHeader header, TileEpoch at, long ranMs)
    {
        if (header.Phase != TilePhase.Away || header.Configuration.At != at)
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        _readmittedMs[header.Tile] = ranMs;
        Put(header with { Phase = TilePhase.Active });
        return Replies.Done;
    }

    private bool WasAway(TileId tile, long ranMs) =>
        _readmittedMs.TryGetValue(tile, out var since) && ranMs - since < ReturningMs;

    private ReplicaReply Seal(TileHeader header, ReplicaRequest.Seal request, NodeId from, long ranMs)
    {
        if (!header.MayVote(request.At))
            return header.WhyNot(request.At);
        if (request.Ballot <= header.NextPromised)
            return new ReplicaReply.Nack(header.NextPromised);
        if (NotTaken(header, request.Ballot, from, ranMs) is { } refusal)
            return refusal;
        _fresh.Given(header.Tile, "", from, ranMs);
        var phase = _rules.SealingStops ? TilePhase.Sealed : header.Phase;
        Put(header with { NextPromised = request.Ballot, Phase = phase });
        return new ReplicaReply.SealGranted(header.NextAcceptedBallot, header.NextAccepted);
    }

    private ReplicaReply Decide(TileHeader header, ReplicaRequest.Decide request, NodeId from, long ranMs)
    {
        if (!header.MayVote(request.At))
            return header.WhyNot(request.At);
        if (request.Ballot < header.NextPromised || !request.Next.Follows(header.Configuration))
            return new ReplicaReply.Nack(header.NextPromised);
        if (NotTaken(header, request.Ballot, from, ranMs) is { } refusal)
            return refusal;
        _fresh.Used(header.Tile, "");
        Put(header with
        {
            NextPromised = request.Ballot,
            NextAcceptedBallot = request.Ballot,
            NextAccepted = request.Next,
            Phase = _rules.SealingStops ? TilePhase.Sealed : header.Phase,
        });
        return Replies.Accepted;
    }

    /// <summary>Why a ballot is not taken although it is above all; null when it may be.</summary>
    /// <remarks>docs/protocol.md#rounds-apart, docs/protocol.md#overtaking.</remarks>
    private ReplicaReply.Nack? NotTaken(TileHeader header, Ballot ballot, NodeId from, long ranMs)
    {
        if (ballot > header.NextPromised && !_fresh.MayHave(header.Tile, "", from, ranMs))
            return new ReplicaReply.Nack(header.NextPromised);
        if (_budgets.InsteadOf(ballot, header.NextPromised, from, ranMs) is not { } instead)
            return null;
        if (instead != header.NextPromised)
            Put(header with { NextPromised = instead });
        return new ReplicaReply.Nack(instead);
    }

    private ReplicaReply.Standing Learn(TileConfiguration next, TileConfiguration? previous)
    {
        if (_held.IsCut(next.Tile))
            return Standing(Find(next.Tile, name: null)!); // News of before the cut.
        if (CutDownTo(next) is { } wider)
            return Standing(wider);
        var header = Header(next.Tile);
        if (header is not null && !next.IsNewerThan(header.Newest))
        {
            if (header.Phase == TilePhase.Learning && header.Previous is null && next == header.Configuration)
                Put(header with { Previous = previous });
            return Standing(Header(next.Tile)!);
        }

        if (IsSurvivor(header, next, previous))
        {
            Put(header! with { Phase = TilePhase.Sealed, Pending = next, Previous = previous });
            return Standing(Header(next.Tile)!);
        }

        var follows = header is { Phase: TilePhase.Active or TilePhase.Sealed, Pending: null }
            && header.Configuration.Generation == next.Generation && header.Configuration.Epoch + 1 == next.Epoch;
        if (next.Contains(_self))
        {
            if (follows)
                Put(header! with { Phase = TilePhase.Sealed, Pending = next });
            else
                BecomeLearner(next, previous);
        }
        else if (follows && _rules.LeaversKeepRows)
            Put(header! with { Phase = TilePhase.Sealed, Pending = next });
        else if (header is not null || _held.Above(next.Tile) is not null)
            Leave(next, next.IsOrdered(previous) ? previous : null);
        else
            return new ReplicaReply.Standing(next, TilePhase.None, previous);
        return Standing(Header(next.Tile)!);
    }

    /// <summary>If a wider tile is held here that the news says was cut: cuts it too.</summary>
    /// <remarks>docs/protocol.md#tile-split.</remarks>
    /// <returns>Null when the news is to be believed, otherwise the wider tile that is ahead of it.</returns>
    private TileHeader? CutDownTo(TileConfiguration next)
    {
        while (_held.Above(next.Tile) is { } wider && !_held.IsCut(wider.Tile))
        {
            if (next.Splits.Length < next.Tile.Bits - wider.Tile.Bits)
                return wider; // Not a configuration of this circle.
            var end = next.SplitEpoch(wider.Tile);
            if (wider.Newest.Generation > next.Generation
                || (wider.Newest.Generation == next.Generation && wider.Newest.Epoch > end))
                return wider;
            if (wider is { Phase: TilePhase.Active or TilePhase.Sealed, Pending: null }
                && wider.Configuration.Epoch == end)
                Cut(wider);
            else
            {
                // Deciding the cut took a majority that was complete then: nobody needs rows from before.
                if (wider.Phase != TilePhase.Retired)
                    Leave(wider.Newest, wider.Newest.IsOrdered(wider.BeforeNewest) ? wider.BeforeNewest : null);
                break;
            }
        }

        return null;
    }

    /// <summary>From here the rows are those of a sealed member of each half, and the decision is known.</summary>
    private void Cut(TileHeader wider)
    {
        _rows.Split(wider.Tile);
        Put(new TileHeader(wider.Configuration, TilePhase.Retired));
        foreach (var half in wider.Configuration.Halves())
        {
            if (_readmittedMs.TryGetValue(wider.Tile, out var since))
                _readmittedMs[half.Tile] = since;
            Put(new TileHeader(half, TilePhase.Sealed, Pending: half.Next(half.Members)));
        }
    }

    /// <summary>Whether an order counts on the rows here. docs/protocol.md#generations</summary>
    private bool IsSurvivor(TileHeader? header, TileConfiguration next, TileConfiguration? previous) =>
        header is { Phase: TilePhase.Active or TilePhase.Sealed or TilePhase.Away }
        && next.IsOrdered(previous) && previous!.Contains(_self);

    /// <summary>Starts empty: rows from an epoch that others have left behind may have been deleted there
    /// since.</summary>
    private void BecomeLearner(TileConfiguration next, TileConfiguration? previous)
    {
        _rows.Drop(next.Tile);
        Put(new TileHeader(next, TilePhase.Learning, Previous: previous));
    }

    private void Leave(TileConfiguration next, TileConfiguration? survivors)
    {
        _rows.Drop(next.Tile);
        Put(new TileHeader(next, TilePhase.Retired, Previous: survivors));
    }

    private ReplicaReply Activate(TileHeader header, ReplicaRequest.Activate request, long ranMs)
    {
        if (!_transfer.IsLearning(header, request.At))
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        if (request.Last is { } page
            && _transfer.Absorb(header, request.At, page, ranMs) is ReplicaReply.Contested contested)
            return contested;
        _rows.Carry(header.Configuration.At, request.At);
        Put(new TileHeader(header.Newest, TilePhase.Active, Previous: header.BeforeNewest));
        return Replies.Done;
    }

    private ReplicaReply Retire(TileHeader header, TileEpoch at)
    {
        if (header.Phase != TilePhase.Sealed || header.Pending?.At != at || header.Pending.Contains(_self))
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        Leave(header.Pending, null);
        return Replies.Done;
    }

    private ReplicaReply MayEnd(TileHeader header, ReplicaRequest.MayEnd request)
    {
        if (header.Newest.At != request.At)
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        if (request.Value)
            _mayEnd[header.Tile] = request.At;
        else
            _mayEnd.Remove(header.Tile);
        return Replies.Done;
    }

    private ReplicaReply Settle(TileHeader header, TileEpoch at)
    {
        if (header.Phase != TilePhase.Active || header.Configuration.At != at)
            return new ReplicaReply.Stale(header.Newest, header.BeforeNewest);
        Put(header with { Previous = null });
        return Replies.Done;
    }

    private ReplicaReply.Standing Standing(TileHeader header)
    {
        var learns = header is { Phase: TilePhase.Sealed, Pending: { } pending } && pending.Contains(_self);
        return new(
            header.Newest, learns ? TilePhase.Learning : header.Phase, header.BeforeNewest, Vote: header.Vote);
    }

    private void Put(TileHeader header)
    {
        _store.PutHeader(header);
        _held.Put(header);
        _changes.Add(header);
    }
}
