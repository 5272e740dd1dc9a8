using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>The replica of one process with its one writer, the keeper of its tiles and the coordinators that run here,
/// as Node/Tiles runs them.</summary>
internal sealed class TileHost
{
    private const int ToldMax = 64;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMin = Beat + TimeSpan.FromSeconds(1);
    private readonly SwarmNode _node;
    private readonly SwarmCluster _cluster;
    private readonly TileKeeper _keeper;
    private readonly NextMembers _nextMembers;
    private readonly NodeClock _clock;
    private readonly Queue<Work> _inbox = [];
    private readonly SortedDictionary<TileId, TileHeader> _board = [];
    private bool _committing;
    private bool _tendsSoon;
    private TimeSpan _lastBeat;

    public TileHost(SwarmNode node, ulong incarnation)
    {
        (_node, _cluster) = (node, node.Cluster);
        _clock = new NodeClock(node);
        Replica = new Replica(node.Self.Node, node.Store, SetLimits.Default, _cluster.Rules, _cluster.Plan.Aging?.Ages);
        LookAtClock();
        Ballots = new BallotSource(node.Self.Node, incarnation);
        Directory = new TileDirectory(_cluster.Plan.TileBits, _cluster.GenesisOf(node));
        _nextMembers = new NextMembers( // As in Node/Tiles/TileServices.
            () => node.Ring.Cache, () => node.Ring.Clock,
            _cluster.Plan.Patience with { Copies = _cluster.Plan.Copies }, _cluster.Plan.Steward,
            _ => true); // The fault CutTile cuts any tile.
        _keeper = new TileKeeper(
            Ballots, _cluster.Plan.Patience, _cluster.Plan.Steward, _cluster.World.Random.Next(), _cluster.Rules)
        {
            MayBeNext = _nextMembers.MayBe,
        };
        Replica.Found(_cluster.GenesisOf(node));
        Sync();
        foreach (var header in Replica.TakeChanges())
            _cluster.Watch.Saw(node, header);
        foreach (var header in Replica.Headers)
        {
            _board[header.Tile] = header;
            Directory.Learn(header.Newest);
        }
    }

    public Replica Replica { get; }

    public BallotSource Ballots { get; }

    public TileDirectory Directory { get; }

    /// <summary>Coordinators that are not done; those of clients too.</summary>
    public int RunningCount { get; private set; }

    /// <summary>The next sync reports an error.</summary>
    public bool SyncFails { get; set; }

    private SimulatedWorld<SwarmMessage> World => _cluster.World;

    /// <summary>The headers as of the last commit.</summary>
    public IEnumerable<TileHeader> Shown => _board.Values;

    public void Start()
    {
        _lastBeat = World.Now;
        World.After(_node.Number, World.Random.Between(TimeSpan.Zero, Beat), Tick);
        new RepairHost(_node, this).Start();
        if (_cluster.Plan.Aging is { } aging)
            new CollectionHost(_node, this, aging).Start();
    }

    /// <summary>Reads all rows and distrusts the tiles where one is damaged.</summary>
    public void Scrub()
    {
        foreach (var tile in _node.Store.DamagedTiles.ToArray())
            Submit(new ReplicaRequest.Distrust(tile), _node.Self.Node, _ => { });
    }

    /// <summary>Hands the replica a request; the reply comes after the commit, or never.</summary>
    public void Submit(ReplicaRequest request, NodeId from, Action<ReplicaReply> done)
    {
        _inbox.Enqueue(new(request, from, done));
        if (!_committing)
            Commit();
    }

    /// <summary>What another node asks, as Node/Chat/CallHandler takes it; news of a decision are judged first,
    /// and who may be the next members when the replica carries it out.</summary>
    public void Receive(ReplicaRequest request, NodeId from, Action<ReplicaReply> done)
    {
        if (request is not ReplicaRequest.NewConfiguration news)
        {
            var judged = request is ReplicaRequest.Decide wish ? _nextMembers.Judged(from, wish) : request;
            Submit(judged, from, reply =>
            {
                if (reply is not ReplicaReply.NotAllowed) // Refused; the caller has a timer.
                    done(reply);
            });
            return;
        }

        switch (NewsJudge.Judge(from, news, Around(news.Next.Tile), Directory, _cluster.Plan.Patience))
        {
            case NewsVerdict.Believed(var believed):
                Take(believed, done);
                break;
            case NewsVerdict.Outdated(var known):
                done(new ReplicaReply.Standing(known, TilePhase.None, null));
                break;
            case NewsVerdict.Claimed(var known):
                Submit(new ReplicaRequest.GetConfiguration(news.Next.Tile), from, done);
                var check = new NewsCheck(from, news, known, _cluster.Plan.Patience);
                Run(check, _ =>
                {
                    if (check is { IsDone: true, Outcome: { } confirmed })
                        Take(confirmed, static _ => { });
                    else if (check.EndDoubted is { } end)
                        _keeper.Doubt(end, (long)_node.Ring.Clock.TotalMilliseconds);
                });
                break;
        }

        void Take(ReplicaRequest.NewConfiguration believed, Action<ReplicaReply> answer)
        {
            Directory.Learn(believed.Next);
            Submit(believed, from, answer);
        }
    }

    private TileHeader? Around(TileId tile)
    {
        var header = _board.GetValueOrDefault(tile);
        while (header is null && tile.Bits > 0)
            header = _board.GetValueOrDefault(tile = tile.Wider);
        return header;
    }

    /// <summary>Asks a replica, this node's own included; null when no answer will come.</summary>
    public void Send(NodeId to, ReplicaRequest request, Action<ReplicaReply?> done)
    {
        if (to == _node.Self.Node)
            World.After(_node.Number, TimeSpan.Zero, () => Submit(request, to, done));
        else
            _node.Call(_node.Ring.Cache.Members[to]?.Peer.Address ?? "", new Ask.Replica(request), null,
                reply => done((ReplicaReply?)reply));
    }

    /// <summary>Runs a coordinator to its end. <paramref name="step"/> is called after each of its steps.</summary>
    public void Run(Coordinator coordinator, Action<IReadOnlyList<Effect>>? step = null)
    {
        RunningCount++;
        Do(new Operation(coordinator, step), coordinator.Start());
    }

    /// <summary>This node is about to stop.</summary>
    public void BeginNoMore() => _keeper.BeginNoMore();

    private void Tick()
    {
        if (World.Now - _lastBeat is var beat && beat > PauseMin && _cluster.Plan.Mistake != SwarmMistake.MissIsDeath)
            _keeper.Paused((long)beat.TotalMilliseconds, (long)_node.Ring.Clock.TotalMilliseconds);
        _lastBeat = World.Now;
        if (_cluster.Plan.Aging is not null && !_committing)
            Commit(); // Looks at the clock, at least.
        TendAll();
        World.After(_node.Number, Beat, Tick);
    }

    private void TendAll()
    {
        foreach (var header in _board.Values.ToArray())
            Tend(header);
    }

    /// <summary>One writer: what has gathered is handled, made durable together, and only then answered.</summary>
    private void Commit()
    {
        _committing = true;
        var replies = new List<(Work Work, ReplicaReply Reply)>();
        var now = LookAtClock();
        try
        {
            while (_inbox.TryDequeue(out var work))
                replies.Add((work, Handle(work, now)));
        }
        catch (DamagedRowException damage)
        {
            _node.Ruin(damage.Message);
            return;
        }

        var changes = Replica.TakeChanges();
        foreach (var header in changes)
            _cluster.Watch.Saw(_node, header);
        if (_cluster.Plan.Mistake == SwarmMistake.AnswersBeforeSync)
            Answer(replies);
        World.After(_node.Number, _cluster.SyncTime(_node), () =>
        {
            if (SyncFails && _cluster.Plan.Mistake != SwarmMistake.IgnoresFailedSync)
            {
                _node.Crash(World.Random.Chance(0.5) ? CrashKind.Lost : CrashKind.Survived);
                return;
            }

            if (!SyncFails && _cluster.Plan.Mistake != SwarmMistake.AnswersBeforeSync)
                Sync();
            _committing = false;
            if (_cluster.Plan.Mistake != SwarmMistake.AnswersBeforeSync)
                Answer(replies);
            Show(changes);
            if (_inbox.Count > 0 && !_committing)
                Commit();
        });
    }

    /// <summary>A node that was away past the age of tombstones does not count its rows until it has asked the
    /// others.</summary>
    private ReplicaTime LookAtClock()
    {
        var now = _clock.Now();
        if (_clock.Away > _cluster.Plan.Aging?.Ages.TombstoneAge)
            foreach (var header in Replica.Headers.ToArray())
                Replica.Handle(new ReplicaRequest.Doubt(header.Tile), _node.Self.Node, now);
        return now;
    }

    private void Sync()
    {
        _node.Disk.Sync();
        _node.Times = _clock.Times;
    }

    private ReplicaReply Handle(Work work, ReplicaTime now)
    {
        var before = Replica.Header(work.Request.At.Tile);
        var reply = Replica.Handle(work.Request, work.From, now);
        _cluster.Watch.Executed(_node, before, work.Request, reply);
        return reply;
    }

    private static void Answer(List<(Work Work, ReplicaReply Reply)> replies)
    {
        foreach (var (work, reply) in replies)
            work.Done(reply);
    }

    private void Show(IReadOnlyList<TileHeader> changes)
    {
        foreach (var header in changes)
            _board[header.Tile] = header;
        foreach (var header in changes)
            if (_board.TryGetValue(header.Tile, out var now))
                Tend(now);
    }

    private void Tend(TileHeader header)
    {
        Directory.Learn(header.Newest);
        var nowMs = (long)_node.Ring.Clock.TotalMilliseconds;
        if (_keeper.Next(header, Outlook(header.Newest), nowMs) is not { } next)
            return;
        if (next is EpochChange && _cluster.Plan.Mistake == SwarmMistake.RingDecides)
        {
            Impose(header);
            return;
        }

        Run(next, _ =>
        {
            if (!next.IsDone)
                return;
            if (next is EpochChange change)
                Tell(change);
            TendSoon();
        });
    }

    /// <summary>A mistake: whom the ring names is a member, and hears of it without a decision.</summary>
    private void Impose(TileHeader header)
    {
        var preferred = Outlook(header.Newest).Preferred;
        if (preferred.Length == 0)
            return; // It sees nobody alive.
        var news = new ReplicaRequest.NewConfiguration(header.Configuration.Next(preferred), header.Configuration);
        foreach (var member in news.Next.Members.Union(header.Configuration.Members))
            Send(member, news, _ => { });
    }

    /// <summary>Something ended: others may have waited for its turn.</summary>
    private void TendSoon()
    {
        if (_tendsSoon)
            return;
        _tendsSoon = true;
        World.After(_node.Number, TimeSpan.Zero, () =>
        {
            _tendsSoon = false;
            TendAll();
        });
    }

    private void Tell(EpochChange change)
    {
        if (change.Outcome is not EpochChangeOutcome.Decided)
            return;
        foreach (var (next, previous) in change.News)
        {
            if (!_node.IsStranger)
                _cluster.Watch.Decided(next);
            var news = new ReplicaRequest.NewConfiguration(next, previous);
            foreach (var peer in _node.Ring.Cache.Members.Live.Where(peer => !next.Contains(peer.Node)).Take(ToldMax))
                Send(peer.Node, news, _ => { });
        }
    }

    /// <summary>What this node's own cache suggests; docs/protocol.md#steward.</summary>
    public TileOutlook Outlook(TileConfiguration newest)
    {
        var members = _node.Ring.Cache.Members;
        var preferred = _node.Ring.Cache.Preferred(
            newest.Tile.Start, _cluster.Plan.Copies, _node.Ring.Clock, newest.Members,
            _keeper.PassedOver((long)_node.Ring.Clock.TotalMilliseconds));
        if (_cluster.Plan.Mistake == SwarmMistake.MissIsDeath)
            preferred = [.. members.Clockwise(newest.Tile.Start).Where(member => member.IsReachable)
                .Take(_cluster.Plan.Copies).Select(member => member.Peer.Node)];
        return new(
            preferred,
            members.All.Where(IsUnwanted).Select(member => member.Peer.Node).ToHashSet(),
            members.All.Where(member => member.Health is Health.Left).Select(member => member.Peer.Node).ToHashSet())
        {
            Leaving = members.All.Where(member => member.Health is Health.Leaving)
                .Select(member => member.Peer.Node).ToHashSet(),
            LongGone = [.. newest.Members.Where(node => _node.Ring.Cache.IsLongGone(node, _node.Ring.Clock))],
        };
    }

    private bool IsUnwanted(Member member) => member.IsUnwanted
        || (member is { WasHeard: true, Health: Health.Suspect } && _cluster.Plan.Mistake == SwarmMistake.MissIsDeath);

    private void Do(Operation operation, IReadOnlyList<Effect> effects)
    {
        foreach (var effect in effects)
            if (effect is Effect.Send(var to, var request))
                Send(to, request, reply => On(operation, to, request, reply));
            else if (effect is Effect.SetTimer timer)
                SetTimer(operation, timer.Delay);
            else if (effect is Effect.Learned learned)
                Directory.Learn(learned.Newest, learned.Previous);
        operation.Step?.Invoke(effects);
        if (operation.Coordinator.IsDone && !operation.Ended)
        {
            operation.Ended = true;
            RunningCount--;
        }
    }

    private void On(Operation operation, NodeId from, ReplicaRequest request, ReplicaReply? reply)
    {
        if (!operation.Ended)
            Do(operation, reply is null
                ? operation.Coordinator.OnUnreachable(from, request)
                : operation.Coordinator.On(from, request, reply));
    }

    private void SetTimer(Operation operation, TimeSpan delay)
    {
        var timer = ++operation.Timer;
        World.After(_node.Number, delay, () =>
        {
            if (timer == operation.Timer && !operation.Ended)
                Do(operation, operation.Coordinator.OnTimeout());
        });
    }

    private readonly record struct Work(ReplicaRequest Request, NodeId From, Action<ReplicaReply> Done);

    private sealed record Operation(Coordinator Coordinator, Action<IReadOnlyList<Effect>>? Step)
    {
        public int Timer { get; set; }
        public bool Ended { get; set; }
    }
}
