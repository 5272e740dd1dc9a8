using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles;

/// <summary>One node's copies of tiles: handles one request at a time inside the host's transaction.</summary>
/// <remarks>
/// One thread at a time. Replies may be sent only after the transaction has committed durably; a process whose commit
/// failed must end. Headers are cached here, so the store must not be written behind this object's back.
/// The argument why this never forks or loses data is in docs/protocol.md#why-it-is-safe.
/// </remarks>
public sealed class Replica
{
    /// <summary>How many bytes of content one page of a scan or a transfer holds at most (one row may exceed
    /// it).</summary>
    public const int PageBytesMax = 1 << 20;

    private readonly IReplicaStore _store;
    private readonly ReplicaRules _rules;
    private readonly SetLimits _limits;
    private readonly EpochFollower _epochs;
    private readonly TrackedRows _rows;
    private readonly ReplicaRepair _repair;
    private readonly RowAges _rowAges;
    private readonly ReplicaAges _ages;
    private readonly ValueJudge _judge;
    private readonly IValueRules _values;
    private readonly PeerBudgets _budgets;
    private readonly FreshPromises _fresh;

    public Replica(
        NodeId self, IReplicaStore store, SetLimits? limits = null, RowAges? ages = null, IValueRules? values = null,
        PeerLimits? peers = null)
        : this(self, store, limits ?? SetLimits.Default, ReplicaRules.Protocol, ages, values, peers) { }

    internal Replica(
        NodeId self, IReplicaStore store, SetLimits limits, ReplicaRules rules, RowAges? ages = null,
        IValueRules? values = null, PeerLimits? peers = null)
    {
        (_values, _budgets) = (values ?? AnyValue.Rules, new PeerBudgets(peers ?? PeerLimits.Default));
        (Self, _store, _limits, _rules, _rowAges) = (self, store, limits, rules, ages ?? RowAges.Default);
        _fresh = new FreshPromises(self, _budgets);
        _rows = new TrackedRows(store);
        _judge = new ValueJudge(_rows, _values);
        _epochs = new EpochFollower(self, store, _rows, rules, _judge, _budgets, _fresh);
        _ages = new ReplicaAges(store, _rows, _rowAges);
        _repair = new ReplicaRepair(self, store, _rows, _ages, _judge, _budgets, at => Refusal(at));
    }

    public NodeId Self { get; }

    /// <summary>Whether the disk has room for what is new; the host says so before each request.</summary>
    /// <remarks>docs/protocol.md#room-on-the-disk.</remarks>
    public bool HasRoom { get; set; } = true;

    /// <summary>Every tile that this node has to do with.</summary>
    public IReadOnlyCollection<TileHeader> Headers => _epochs.Headers;

    public TileHeader? Header(TileId tile) => _epochs.Header(tile);

    /// <summary>Takes up the tiles that the cluster's genesis gives this node; tiles already known stay as they are.
    /// Idempotent; inside a transaction like every request.</summary>
    public void Found(IEnumerable<TileConfiguration> genesis) => _epochs.Found(genesis);

    /// <summary>The headers that have changed since the last call; to be acted on after the commit.</summary>
    public IReadOnlyList<TileHeader> TakeChanges() => _epochs.TakeChanges();

    /// <summary>Carries out one request where one clock serves as both times.</summary>
    public ReplicaReply Handle(ReplicaRequest request, NodeId from, long nowMs) =>
        Handle(request, from, new ReplicaTime(nowMs, nowMs));

    /// <summary>Carries out one request.</summary>
    /// <param name="from">Who asks; local requests are refused to everybody but <see cref="Self"/>.</param>
    public ReplicaReply Handle(ReplicaRequest request, NodeId from, ReplicaTime now)
    {
        if (request.IsLocal && from != Self)
            throw new ArgumentException($"{request.GetType().Name} came from another node", nameof(request));
        try
        {
            if (!RowName.IsKnown(request, _values))
                return Replies.NoSuchRow;
            var refusal = from == Self ? null : CallerCheck.InsteadOf(
                request, from, Header(request.At.Tile),
                request is not (ReplicaRequest.Seal or ReplicaRequest.Decide) || _epochs.MayEnd(request.At.Tile));
            return refusal ?? Execute(request, from, now);
        }
        catch (DamagedTileException damage)
        {
            // What the request has written before is a learner's: those rows are dropped before it learns again.
            _epochs.Distrust(damage.Tile);
            return new ReplicaReply.Behind(Header(damage.Tile)!.Configuration);
        }
    }

    private ReplicaReply Execute(ReplicaRequest request, NodeId from, ReplicaTime now)
    {
        return request switch
        {
            ReplicaRequest.Add add => Refusal(add.At, add.Set) ?? Add(add, from, now),
            ReplicaRequest.Prepare prepare => Refusal(prepare.At, prepare.Key) ?? Prepare(prepare, from, now),
            ReplicaRequest.Accept accept => Refusal(accept.At, accept.Key) ?? Accept(accept, from, now),
            ReplicaRequest.Peek peek => Refusal(peek.At, peek.Key) ?? Peek(peek),
            ReplicaRequest.Acknowledge acknowledge => Refusal(acknowledge.At, acknowledge.Set)
                ?? Acknowledge(acknowledge, from, now),
            ReplicaRequest.Scan scan => Refusal(scan.At, scan.Set)
                ?? _store.Scan(scan.At.Tile, scan.Set, scan.After, scan.RowsMax, PageBytesMax),
            ReplicaRequest.Compare compare => _repair.Compare(compare),
            ReplicaRequest.Missing missing => Refusal(missing.At) ?? _repair.Missing(missing, now),
            ReplicaRequest.Summarize summarize => Refusal(summarize.At) ?? _repair.Summarize(summarize),
            ReplicaRequest.ListRows list => Refusal(list.At) ?? _repair.List(list),
            ReplicaRequest.Mend mend => Refusal(mend.At) ?? Mend(mend, now),
            ReplicaRequest.GetDisputes => new ReplicaReply.Disputed(_judge.Disputes.Take(at => Refusal(at) is null)),
            ReplicaRequest.Concede concede => Refusal(concede.At, concede.Key) ?? _repair.Concede(concede),
            ReplicaRequest.ListAged aged => Refusal(aged.At) ?? _ages.List(aged, now),
            ReplicaRequest.GetAges ask => Refusal(ask.At, ask.Set) ?? _ages.Tell(ask, now),
            ReplicaRequest.Forget forget => Refusal(forget.At, forget.Set) ?? _ages.Forget(forget, now),
            _ => _epochs.Handle(request, from, now.RanMs),
        };
    }

    /// <summary>Why a data operation of this epoch must not be executed here; null when it may.</summary>
    /// <param name="name">Of the row that it is about, if it is about one.</param>
    private ReplicaReply? Refusal(TileEpoch at, string? name = null)
    {
        if (_epochs.Find(at.Tile, name) is not { } header)
            return Replies.WrongTile;
        var usable = header.Phase == TilePhase.Active
            || (!_rules.LearnersWait && header.Phase == TilePhase.Learning)
            || (!_rules.EpochsAreCompared && header.Phase == TilePhase.Sealed);
        var here = header.Configuration.At == at
            || (!_rules.EpochsAreCompared && header.Configuration.Epoch >= at.Epoch);
        if (!usable || !here)
            return header.WhyNot(at);
        // A tile that was cut has neighbours with which a row could be mistaken; one of the genesis has not.
        return name is null || header.Configuration.Splits.IsEmpty || at.Tile.Contains(RowName.PointOf(name))
            ? null
            : Replies.WrongTile;
    }

    private ReplicaReply Prepare(ReplicaRequest.Prepare request, NodeId from, ReplicaTime now)
    {
        var row = _rows.GetRegister(request.At.Tile, request.Key);
        if (request.Ballot <= row.Highest || !_fresh.MayHave(request.At.Tile, request.Key, from, now.RanMs))
            return new ReplicaReply.Nack(row.Highest);
        var refusal = TooFar(request.At, request.Key, row, request.Ballot, from, now)
            ?? Promise(request.At, request.Key, row, request.Ballot, from, now);
        if (refusal is null)
            _fresh.Given(request.At.Tile, request.Key, from, now.RanMs);
        return refusal ?? new ReplicaReply.Promised(row.AcceptedBallot, row.Value);
    }

    /// <summary>Why a ballot is not taken although it is above all; null when it may be.</summary>
    /// <remarks>docs/protocol.md#rounds-apart.</remarks>
    private ReplicaReply? TooFar(
        TileEpoch at, string key, RegisterRow row, Ballot ballot, NodeId from, ReplicaTime now)
    {
        if (_budgets.InsteadOf(ballot, row.Highest, from, now.RanMs) is not { } instead)
            return null;
        var refusal = instead == row.Highest ? null : Promise(at, key, row, instead, from, now);
        return refusal ?? new ReplicaReply.Nack(instead);
    }

    /// <returns>Null when it is promised.</returns>
    private ReplicaReply? Promise(
        TileEpoch at, string key, RegisterRow row, Ballot ballot, NodeId from, ReplicaTime now)
    {
        if (row.Highest.IsNone && NoNewRow(from, now) is { } refusal)
            return refusal;
        _rows.PutRegister(at.Tile, key, row, row with { Promised = ballot });
        if (row.Highest.IsNone && from != Self)
            _budgets.Promised(from, now.RanMs);
        return null;
    }

    private ReplicaReply Accept(ReplicaRequest.Accept request, NodeId from, ReplicaTime now)
    {
        var row = _rows.GetRegister(request.At.Tile, request.Key);
        if (request.Ballot == row.AcceptedBallot && request.Value.Span.SequenceEqual(row.Value.Span))
            return Replies.Accepted; // A duplicate: answering twice is voting once.
        if (request.Ballot < row.Promised || request.Ballot <= row.AcceptedBallot
            || (request.Ballot > row.Promised && !_fresh.MayHave(request.At.Tile, request.Key, from, now.RanMs)))
            return new ReplicaReply.Nack(row.Highest);
        if (TooFar(request.At, request.Key, row, request.Ballot, from, now) is { } refusal)
            return refusal;
        if (!_judge.Fits(request.At, request.Key, row, request.Value, from))
            return new ReplicaReply.Nack(row.Highest);
        var isNew = row.AcceptedBallot.IsNone;
        var growth = request.Value.Length - row.Value.Length + (isNew ? PeerLimits.RowBytes : 0);
        if (isNew && !HasRoom)
            return Replies.NoRoom;
        if (from != Self && !_budgets.MayWrite(from, growth, now.RanMs))
            return Replies.TooMany;
        _rows.PutRegister(
            request.At.Tile, request.Key, row, new RegisterRow(request.Ballot, request.Ballot, request.Value));
        _fresh.Used(request.At.Tile, request.Key);
        if (from != Self)
            _budgets.Wrote(from, growth, fills: isNew && row.Promised.Proposer == from, now.RanMs);
        return Replies.Accepted;
    }

    /// <summary>Why nobody, or this node, may make a register now; null when it may.</summary>
    private ReplicaReply? NoNewRow(NodeId from, ReplicaTime now) =>
        !HasRoom ? Replies.NoRoom
        : from != Self && !_budgets.MayPromise(from, now.RanMs) ? Replies.TooMany
        : null;

    private ReplicaReply.Peeked Peek(ReplicaRequest.Peek request)
    {
        var row = _rows.GetRegister(request.At.Tile, request.Key);
        return new ReplicaReply.Peeked(row.AcceptedBallot, row.Value);
    }

    /// <summary>Whether a new one may be taken is judged without the row, so one that is here already must be answered
    /// first.</summary>
    /// <remarks>What can be no message is no refusal: whoever reads a mailbox and found it at a member that lies reads
    /// on.</remarks>
    private ReplicaReply Add(ReplicaRequest.Add request, NodeId from, ReplicaTime now)
    {
        if (!SetLimits.IsMessage(request.Content))
            return Replies.Full;
        var message = new SetMessage(request.Id, request.Content);
        var tooLate = IsTooLate(request.SentMs, _rowAges.LateMax, now);
        var isCounted = IsCounted(from, request.At.Tile);
        var tooMany = isCounted && !_budgets.MayAdd(from, now.RanMs);
        var limits = tooLate || tooMany || !HasRoom ? SetLimits.Nothing : _limits;
        var insert = _rows.Insert(request.At.Tile, request.Set, message, now.RanMs, limits);
        if (isCounted && insert.Result == SetInsertResult.Added)
            _budgets.Added(from, request.Set, request.Content.Length, now.RanMs);
        return insert.Result switch
        {
            SetInsertResult.Present when IsOther(request) => Replies.Occupied,
            SetInsertResult.Added or SetInsertResult.Present => new ReplicaReply.Added(insert.Arrival),
            _ when tooLate => new ReplicaReply.TooLate(now.UnixMs),
            SetInsertResult.Buried => Replies.Buried,
            _ when !HasRoom => Replies.NoRoom,
            _ when tooMany => Replies.TooMany,
            _ => Replies.Full,
        };
    }

    private bool IsOther(ReplicaRequest.Add request) =>
        _store.GetEntry(request.At.Tile, request.Set, request.Id)?.Content is { } here
        && !here.Span.SequenceEqual(request.Content.Span);

    /// <summary>What is here is always buried.</summary>
    private ReplicaReply Acknowledge(ReplicaRequest.Acknowledge request, NodeId from, ReplicaTime now)
    {
        var isCounted = IsCounted(from, request.At.Tile);
        var tooMany = false;
        foreach (var id in request.Ids)
            if (isCounted && !_budgets.MayAdd(from, now.RanMs)
                && _store.GetEntry(request.At.Tile, request.Set, id) is null)
                tooMany = true;
            else
                switch (_rows.Bury(request.At.Tile, request.Set, id, now.RanMs))
                {
                    case SetBurial.Message:
                        _budgets.Buried(request.Set, now.RanMs);
                        break;
                    case SetBurial.Absence when isCounted:
                        _budgets.Marked(from, now.RanMs);
                        break;
                }

        return tooMany ? Replies.TooMany : Replies.Acknowledged;
    }

    /// <summary>Whether a node's mail is counted: a member of the tile has it on its own disk too.</summary>
    private bool IsCounted(NodeId from, TileId tile) =>
        from != Self && Header(tile)?.Configuration.Contains(from) != true;

    private ReplicaReply Mend(ReplicaRequest.Mend request, ReplicaTime now) =>
        IsTooLate(request.AskedMs, _rowAges.MendMax, now)
            ? new ReplicaReply.TooLate(now.UnixMs)
            : _repair.Mend(request, HasRoom, now);

    private bool IsTooLate(long sinceUnixMs, TimeSpan most, ReplicaTime now) =>
        _rules.LateIsRefused && sinceUnixMs < now.UnixMs - (long)most.TotalMilliseconds;
}

/// <summary>Replies that carry nothing, made once.</summary>
internal static class Replies
{
    public static readonly ReplicaReply Accepted = new ReplicaReply.Accepted();
    public static readonly ReplicaReply Acknowledged = new ReplicaReply.Acknowledged();
    public static readonly ReplicaReply Buried = new ReplicaReply.Buried();
    public static readonly ReplicaReply Forgotten = new ReplicaReply.Forgotten();
    public static readonly ReplicaReply Full = new ReplicaReply.Full();
    public static readonly ReplicaReply NoRoom = new ReplicaReply.NoRoom();
    public static readonly ReplicaReply NoSuchRow = new ReplicaReply.NoSuchRow();
    public static readonly ReplicaReply Occupied = new ReplicaReply.Occupied();
    public static readonly ReplicaReply Sealed = new ReplicaReply.Sealed();
    public static readonly ReplicaReply TooMany = new ReplicaReply.TooMany();
    public static readonly ReplicaReply WrongTile = new ReplicaReply.WrongTile();
    public static readonly ReplicaReply Done = new ReplicaReply.Done();
}
