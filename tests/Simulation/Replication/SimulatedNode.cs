using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>A node's replication as the real host runs it: one writer, commits before replies, step machines on
/// timers.</summary>
internal sealed class SimulatedNode
{
    private readonly SimulatedWorld<ReplicaMessage> _world;
    private readonly ClusterSetup _setup;
    private readonly int _number;
    private readonly Disk _disk = new();
    private readonly MemoryReplicaStore _store;
    private readonly Queue<(int From, ReplicaMessage.Question Question)> _inbox = [];
    private readonly Dictionary<long, (Operation Operation, ReplicaRequest Request)> _calls = [];
    private ulong _incarnation;
    private bool _committing;
    private long _call;

    public SimulatedNode(SimulatedWorld<ReplicaMessage> world, int number, ClusterSetup setup)
    {
        (_world, _number, _setup) = (world, number, setup);
        _store = new MemoryReplicaStore(_disk);
        Boot();
        Replica.Found([setup.Genesis]);
        _disk.Sync();
    }

    public NodeId Id => _setup.Ids[_number];

    public Replica Replica { get; private set; } = null!;

    public BallotSource Ballots { get; private set; } = null!;

    public TileDirectory Directory { get; private set; } = null!;

    public TileKeeper Keeper { get; private set; } = null!;

    public void Receive(int from, ReplicaMessage message)
    {
        if (message is ReplicaMessage.Question question)
        {
            _inbox.Enqueue((from, question));
            Commit();
        }
        else if (message is ReplicaMessage.Answer answer && _calls.TryGetValue(answer.Call, out var call))
            Do(call.Operation, call.Operation.Coordinator.On(_setup.Ids[from], call.Request, answer.Reply));
    }

    /// <summary>Runs a coordinator to its end. <paramref name="step"/> is called after each of its steps.</summary>
    public void Run(Coordinator coordinator, Action<IReadOnlyList<Effect>>? step = null)
    {
        var operation = new Operation(coordinator, step);
        Do(operation, coordinator.Start());
    }

    /// <summary>Sends a request whose answer nobody waits for.</summary>
    public void Tell(NodeId to, ReplicaRequest request) =>
        Send(_setup.NumberOf(to), new ReplicaMessage.Question(++_call, request));

    public void Crash()
    {
        _world.Crash(_number);
        _disk.Crash();
        if (_setup.ForgetsPromises)
            _store.ForgetPromises();
        _disk.Sync();
    }

    public void Restart()
    {
        _world.Restart(_number);
        Boot();
    }

    /// <summary>Looks after the tiles, as the host does twice a second.</summary>
    public void Tick()
    {
        if (_setup.StewardsAct())
            foreach (var header in Replica.Headers.ToArray())
                Tend(header);
        _world.After(_number, TimeSpan.FromMilliseconds(500), Tick);
    }

    private void Boot()
    {
        _incarnation++; // Durable before the first ballot, like the node's own counter.
        (_committing, _call) = (false, (long)(_incarnation << 32));
        _inbox.Clear();
        _calls.Clear();
        Replica = new Replica(Id, _store, SetLimits.Default, _setup.Rules);
        Ballots = new BallotSource(Id, _incarnation);
        Directory = new TileDirectory(_setup.Genesis.Tile.Bits, [_setup.Genesis]);
        Keeper = new TileKeeper(Ballots, _setup.Options, _setup.StewardOptions, _world.Random.Next(), _setup.Rules);
        foreach (var header in Replica.Headers)
            Directory.Learn(header.Newest);
        _world.After(_number, _world.Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), Tick);
    }

    /// <summary>One writer: what has gathered is handled, made durable together, and only then answered.</summary>
    private void Commit()
    {
        if (_committing || _inbox.Count == 0)
            return;
        _committing = true;
        var replies = new List<(int To, ReplicaMessage.Answer Answer)>();
        while (_inbox.TryDequeue(out var next))
        {
            var reply = Replica.Handle(next.Question.Request, _setup.Ids[next.From], _world.NowMs);
            replies.Add((next.From, new ReplicaMessage.Answer(next.Question.Call, reply)));
        }

        var changes = Replica.TakeChanges();
        foreach (var header in changes)
            _setup.Observe(_number, header);
        _world.After(_number, _world.Random.Between(_setup.SyncMin, _setup.SyncMax), () =>
        {
            _disk.Sync();
            _committing = false;
            foreach (var (to, answer) in replies)
                Send(to, answer);
            foreach (var header in changes)
            {
                Directory.Learn(header.Newest);
                if (Replica.Header(header.Tile) is { } now)
                    Tend(now);
            }

            Commit();
        });
    }

    private void Tend(TileHeader header)
    {
        var outlook = new TileOutlook(_setup.Preferred, ImmutableHashSet<NodeId>.Empty);
        if (Keeper.Next(header, outlook, _world.NowMs) is { } coordinator)
            Run(coordinator, _ =>
            {
                if (!coordinator.IsDone)
                    return;
                if (coordinator is EpochChange { Outcome: EpochChangeOutcome.Decided decided })
                    _setup.Decided(decided.Next);
            });
    }

    private void Do(Operation operation, IReadOnlyList<Effect> effects)
    {
        foreach (var effect in effects)
            if (effect is Effect.Send send)
                Ask(operation, send);
            else if (effect is Effect.SetTimer timer)
                SetTimer(operation, timer.Delay);
            else if (effect is Effect.Learned learned)
                Directory.Learn(learned.Newest);
        operation.Step?.Invoke(effects);
        if (!operation.Coordinator.IsDone)
            return;
        foreach (var call in operation.Calls)
            _calls.Remove(call);
    }

    private void Ask(Operation operation, Effect.Send send)
    {
        var call = ++_call;
        operation.Calls.Add(call);
        _calls.Add(call, (operation, send.Request));
        Send(_setup.NumberOf(send.To), new ReplicaMessage.Question(call, send.Request));
    }

    private void SetTimer(Operation operation, TimeSpan delay)
    {
        var timer = ++operation.Timer;
        _world.After(_number, delay, () =>
        {
            if (timer == operation.Timer && !operation.Coordinator.IsDone)
                Do(operation, operation.Coordinator.OnTimeout());
        });
    }

    /// <summary>Some kinds of message are lost more often: those whose loss leaves something half done.</summary>
    private void Send(int to, ReplicaMessage message)
    {
        var delicate = message is ReplicaMessage.Question
        {
            Request: ReplicaRequest.Accept or ReplicaRequest.NewConfiguration or ReplicaRequest.Decide,
        }
        or ReplicaMessage.Answer { Reply: ReplicaReply.Pulled };
        if (to == _number || !delicate || !_world.Random.Chance(_setup.DelicateLoss))
            _world.Send(_number, to, message);
    }

    private sealed record Operation(Coordinator Coordinator, Action<IReadOnlyList<Effect>>? Step)
    {
        public List<long> Calls { get; } = [];
        public int Timer { get; set; }
    }
}
