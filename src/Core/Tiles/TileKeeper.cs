using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Core.Tiles;

/// <summary>Looks after all tiles of one node: says which maintenance step machine to run next for each.</summary>
/// <remarks>
/// The host asks <see cref="Next"/> for every header about twice a second, at once for each header that has changed,
/// and for every header again when a coordinator is done, since others may have waited for its turn. It runs what it
/// gets like any other coordinator. At most one counts per tile. One thread at a time.
/// </remarks>
public sealed class TileKeeper
{
    private readonly NodeId _self;
    private readonly BallotSource _ballots;
    private readonly CoordinatorOptions _options;
    private readonly StewardOptions _stewardOptions;
    private readonly ReplicaRules _rules;
    private readonly Dictionary<TileId, Steward> _stewards = [];
    private readonly Dictionary<TileId, Coordinator> _running = [];
    private readonly Dictionary<TileId, (TileEpoch At, long NotBeforeMs)> _stalled = [];
    private readonly Dictionary<NodeId, DoublingPause> _passedOver = [];
    private volatile TileOutlook _outlook = new([], new HashSet<NodeId>()); // The newest of any tile.
    private ulong _seed;
    private long _nextChangeMs;
    private bool _isClosing;

    /// <param name="seed">Any random number.</param>
    public TileKeeper(
        BallotSource ballots, CoordinatorOptions options, StewardOptions stewardOptions, ulong seed)
        : this(ballots, options, stewardOptions, seed, ReplicaRules.Protocol) { }

    internal TileKeeper(
        BallotSource ballots, CoordinatorOptions options, StewardOptions stewardOptions, ulong seed, ReplicaRules rules)
    {
        (_self, _ballots, _options, _stewardOptions) = (ballots.Self, ballots, options, stewardOptions);
        (_seed, _rules) = (seed, rules);
    }

    /// <summary>Whether this node lets other members take over a tile, because one node says so, or by its own wish
    /// (null). docs/protocol.md#next-members</summary>
    public Func<NodeId?, TileConfiguration, TileConfiguration, bool> MayBeNext { get; init; } =
        static (_, _, _) => true;

    /// <summary>How many tiles are being changed, learnt or announced right now.</summary>
    public int RunningCount => _running.Count;

    /// <summary>A member says that this epoch has ended, and nobody confirms it. If it says so for a while, this node
    /// ends the epoch itself: docs/protocol.md#one-voice-is-a-claim.</summary>
    public void Doubt(TileEpoch end, long nowMs)
    {
        if (_stewards.TryGetValue(end.Tile, out var steward))
            steward.Doubt(end, nowMs);
    }

    /// <summary>Who is proposed for no tile now, because it did not say that it is there when it was to come into one.
    /// docs/protocol.md#newcomers</summary>
    public IReadOnlySet<NodeId> PassedOver(long nowMs) =>
        _passedOver.Where(node => !node.Value.IsOver(nowMs)).Select(node => node.Key).ToHashSet();

    /// <summary>This process was paused: what it knew of tiles is old. Every tile is asked about anew, and no change
    /// begins before.</summary>
    public void Paused(long forMs, long nowMs)
    {
        foreach (var steward in _stewards.Values)
            steward.Paused(forMs, nowMs);
        _nextChangeMs = nowMs + (long)_stewardOptions.QuietAfterPause.TotalMilliseconds;
    }

    /// <summary>This node is about to stop: it begins no change that others would have to finish.</summary>
    public void BeginNoMore() => _isClosing = true;

    /// <summary>The coordinator to start for this tile, or null when there is nothing to do or one is
    /// running.</summary>
    /// <param name="nowMs">Any clock that only goes forward.</param>
    public Coordinator? Next(TileHeader header, TileOutlook outlook, long nowMs)
    {
        _outlook = outlook;
        if (_running.TryGetValue(header.Tile, out var running) && !running.IsDone && !IsOutdated(running, header))
            return null;
        _running.Remove(header.Tile);
        if (running is EpochChange ended)
        {
            PassOver(ended.Missing, nowMs);
            foreach (var node in ended.News.SelectMany(news => news.Next.Members))
                _passedOver.Remove(node); // It is there after all.
        }

        if (running is Learner { Outcome: LearnerOutcome.Stalled })
            _stalled[header.Tile] =
                (running.Configuration.At, nowMs + (long)_stewardOptions.AnnounceEvery.TotalMilliseconds);
        if (MustWait(header, nowMs))
            return null;
        if (!_stewards.TryGetValue(header.Tile, out var steward))
            _stewards[header.Tile] = steward = new Steward(_self, _stewardOptions);
        if (running is Announcement announced && announced.Configuration == header.Newest)
            steward.Hear(announced, nowMs);
        Coordinator? next = steward.Decide(header, outlook, nowMs, MayChange(nowMs)) switch
        {
            StewardAction.Change change =>
                new EpochChange(header.Configuration, change.Wanted, _ballots, _options, ++_seed)
                {
                    TakesOver = header.Phase == TilePhase.Sealed,
                    Rules = _rules,
                    MayBeNext = (by, next) => MayBeNext(by, header.Configuration, next),
                },
            StewardAction.Cut =>
                new EpochChange(header.Configuration, header.Configuration.Members, _ballots, _options, ++_seed)
                {
                    Cuts = true,
                    MayBeNext = (by, next) => MayBeNext(by, header.Configuration, next),
                },
            StewardAction.Learn => new Learner(_self, header, _options, ++_seed, _rules)
            {
                Answers = node => _outlook.Answers(node), // One that was away may be back.
            },
            StewardAction.Announce announce => new Announcement(_self, header, _options)
            {
                Answers = outlook.IsThere,
                Complete = announce.Complete,
                Silent = announce.Silent,
                IsLate = announce.IsLate,
            },
            _ => null,
        };
        if (next is not null)
            _running[header.Tile] = next;
        if (next is EpochChange)
            _nextChangeMs = nowMs + (long)_stewardOptions.ChangeGap.TotalMilliseconds;
        return next;
    }

    private void PassOver(IEnumerable<NodeId> missing, long nowMs)
    {
        foreach (var node in missing)
        {
            if (!_passedOver.TryGetValue(node, out var pause))
                _passedOver[node] = pause = new(_stewardOptions);
            pause.Begin(nowMs);
        }
    }

    private bool MayChange(long nowMs) => !_isClosing && nowMs >= _nextChangeMs
        && Count(running => running is EpochChange) < _stewardOptions.ChangesMax;

    /// <summary>Learning waits for nothing: what ran before it goes on harmlessly and is not counted any
    /// more.</summary>
    private bool IsOutdated(Coordinator running, TileHeader header)
    {
        return Learns(header) && (running is not Learner || header.Newest.IsNewerThan(running.Configuration));
    }

    private bool Learns(TileHeader header) => header.Newest.Contains(_self)
        && header is { Phase: TilePhase.Learning } or { Phase: TilePhase.Sealed, Pending: not null };

    /// <summary>Whoever learns waits a little after a try that found too few sources, or that its own replica ended. A
    /// newcomer lets others go first then, and waits for its turn.</summary>
    private bool MustWait(TileHeader header, long nowMs) =>
        (Learns(header) && _stalled.GetValueOrDefault(header.Tile) is var (at, until)
            && at == header.Newest.At && nowMs < until)
        || (header.Phase == TilePhase.Learning
            && Count(running => running is Learner { IsNewcomer: true }) >= _stewardOptions.NewcomersMax);

    private int Count(Func<Coordinator, bool> which) =>
        _running.Values.Count(running => !running.IsDone && which(running));

}
