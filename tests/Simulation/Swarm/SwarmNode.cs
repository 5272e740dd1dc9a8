using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>One machine with one process of a whole node: its disk, its clock, its calls. What it thinks is
/// <see cref="RingHost"/> and <see cref="TileHost"/>, which die with the process.</summary>
internal sealed class SwarmNode
{
    private readonly SwarmCluster _cluster;
    private readonly SortedDictionary<ulong, Pending> _calls = [];
    private ImmutableArray<DiskRun> _runs = [];
    private ulong _lastCall;

    public SwarmNode(SwarmCluster cluster, int number, Peer self, bool isStranger)
    {
        (_cluster, Number, Self, IsStranger) = (cluster, number, self, isStranger);
        Disk = new Disk();
        Store = new MemoryReplicaStore(Disk) { KeepsTombstones = cluster.Plan.Mistake != SwarmMistake.DropsTombstones };
    }

    public int Number { get; }

    /// <summary>Who it is, and where: a clone is the same node at another address.</summary>
    public Peer Self { get; }

    /// <summary>A node of another cluster, which is in earshot: no certificate of either is good at the
    /// other.</summary>
    public bool IsStranger { get; }

    public Disk Disk { get; private set; }

    public MemoryReplicaStore Store { get; private set; }

    /// <summary>Whom it met last time; on disk.</summary>
    public IReadOnlyList<Peer> Remembered { get; set; } = [];

    /// <summary>A mistake: it met nobody at its first start and took itself for the whole cluster.</summary>
    public bool FoundedAlone { get; private set; }

    /// <summary>How far its wall clock is off.</summary>
    public TimeSpan ClockError { get; set; }

    /// <summary>Its wall clock, in Unix milliseconds.</summary>
    public long CalendarMs => (long)(_cluster.World.Now + ClockError).TotalMilliseconds + SwarmCluster.EpochMs;

    /// <summary>On disk, as of the last sync.</summary>
    public NodeTimes Times { get; set; }

    /// <summary>Gone for ever: destroyed, or left.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Whether its disk is gone with it, and all that it kept.</summary>
    public bool IsDestroyed { get; private set; }

    public TimeSpan LostAt { get; private set; }

    /// <summary>What it has seen of the others' disks; on disk, up to 5 s old.</summary>
    public IReadOnlyDictionary<NodeId, DiskSighting> Sightings { get; set; } = new Dictionary<NodeId, DiskSighting>();

    /// <summary>Runs, or should, on a disk that may be an older copy.</summary>
    public bool IsCopy { get; private set; }

    /// <summary>What its disk remembers now.</summary>
    public DiskHistory History => new(_runs, Disk.CommitCount);

    public ulong StartCount => _runs.IsEmpty ? 0 : _runs[^1].Incarnation;

    public DiskHost Guard { get; private set; } = null!;

    /// <summary>Up, and let pass by the others.</summary>
    public bool Serves => IsUp && Guard.IsOpen;

    public RingHost Ring { get; private set; } = null!;

    public TileHost Tiles { get; private set; } = null!;

    public bool IsUp => _cluster.World.IsUp(Number);

    /// <summary>Up and not paused: it answers when it is asked.</summary>
    public bool IsThere => IsUp && !_cluster.World.IsPaused(Number);

    public SwarmCluster Cluster => _cluster;

    public void Boot()
    {
        // On disk before the first message.
        var start = StartCount + 1;
        var runs = _runs.Add(new(start, _cluster.World.Random.Next(), Disk.CommitCount));
        _runs = [.. runs.TakeLast(DiskHistory.RunsMax)];
        FoundedAlone |= start == 1 && _cluster.Plan.Mistake == SwarmMistake.FoundsAlone
            && !_cluster.Nodes.Any(other => other != this && other.IsUp);
        _calls.Clear();
        Guard = new DiskHost(this);
        try
        {
            Ring = new RingHost(this, MembershipState.FirstIncarnation(start));
            Tiles = new TileHost(this, start);
        }
        catch (DamagedRowException damage)
        {
            Ruin(damage.Message);
            return;
        }

        Guard.Start(() =>
        {
            Ring.Start();
            Tiles.Start();
            if (_cluster.IsCalm)
                Tiles.Scrub();
        });
    }

    /// <summary>The process dies; what its disk keeps of the open transaction depends.</summary>
    public void Crash(CrashKind kind)
    {
        if (!IsUp)
            return;
        _cluster.World.Crash(Number);
        Disk.Crash(kind);
        _cluster.Watch.Doubt();
        foreach (var other in _cluster.Machines)
            if (other.IsUp)
                other.Broke(Number);
    }

    public void Restart()
    {
        if (IsUp || IsGone)
            return;
        _cluster.World.Restart(Number);
        Boot();
    }

    /// <summary>Starts again, even if it had left.</summary>
    public void Return()
    {
        IsGone = false;
        Restart();
    }

    /// <summary>Never comes back. With its disk gone, another machine may join instead.</summary>
    public void Ruin(string why)
    {
        _cluster.World.Note(Number, why);
        Crash(CrashKind.Lost);
        (IsGone, IsDestroyed, LostAt) = (true, true, _cluster.World.Now);
        _cluster.Watch.Doubt();
    }

    /// <summary>Its disk is found to be an old copy: it ends, and is as good as lost.</summary>
    public void Quarantine(string why)
    {
        _cluster.Refused();
        Ruin(why);
    }

    /// <summary>Goes away on purpose, after its last words.</summary>
    public void Leave()
    {
        IsGone = true;
        Crash(CrashKind.Survived);
    }

    /// <summary>Puts another disk in place of its own, before a start.</summary>
    public void Replace(DiskImage image)
    {
        IsCopy = true;
        _cluster.StartedCopy();
        Disk = Disk.With(image.CommitCount);
        Store = new MemoryReplicaStore(Disk, image.Store);
        (_runs, Sightings, Remembered, Times) = (image.Runs, image.Sightings, image.Remembered, image.Times);
        _cluster.Watch.Doubt();
    }

    /// <summary>A copy of the whole disk, as of the last sync.</summary>
    public DiskImage Snapshot() =>
        new(new MemoryReplicaStore(new Disk(), Store), Disk.CommitCount, _runs, Sightings, Remembered, Times);

    /// <summary>Asks somebody at an address; the answer, or null when none comes in time or ever will.</summary>
    /// <param name="timeout">None: only a broken connection ends it.</param>
    /// <param name="refused">Told when the machine is there and nobody listens.</param>
    public void Call(string address, object request, TimeSpan? timeout, Action<object?> done, Action? refused = null)
    {
        var call = ++_lastCall;
        var to = _cluster.NumberOf(address);
        if (to < 0 || (!Guard.IsOpen && request is not Ask.Hello))
        {
            _cluster.World.After(Number, TimeSpan.Zero, () => done(null));
            return;
        }

        _calls.Add(call, new Pending(to, done, Guard.Of(_cluster.Machines[to].Self.Node)));
        _cluster.World.Send(Number, to, new SwarmMessage(call, false, request, History));
        if (timeout is { } limit)
            _cluster.World.After(Number, limit, () => End(call, null));
        if (_cluster.Plan.RefusesFast && !_cluster.World.IsUp(to) && !_cluster.World.Network.IsCut(Number, to))
            _cluster.World.After(Number, TimeSpan.FromMilliseconds(1), () =>
            {
                if (_calls.ContainsKey(call))
                    refused?.Invoke();
                End(call, null);
            });
    }

    /// <summary>Says something that nobody answers.</summary>
    public void Tell(int to, object what) => _cluster.World.Send(Number, to, new SwarmMessage(0, false, what, History));

    public void Receive(int from, SwarmMessage message)
    {
        _cluster.Watch.Step();
        var sender = _cluster.Machines[from];
        if (sender.IsStranger != IsStranger && message.Body is not Ask.Beacon
            && _cluster.Plan.Mistake != SwarmMistake.HearsStrangers)
            return;
        if (message.IsAnswer)
        {
            if (_calls.TryGetValue(message.Call, out var call) && call.To == from)
                End(message.Call, Believed(sender, message, call.Before) ? message.Body : null);
            return;
        }

        if (message.Body is Ask.Beacon or Ask.Refused || sender == this || MayAsk(sender, message))
            Handle(sender, message);
    }

    /// <summary>Whether an answer counts; a refusal is an answer too.</summary>
    private bool Believed(SwarmNode sender, SwarmMessage message, DiskSighting? before)
    {
        if (message.Body is Ask.Refused refused)
            Guard.RefusedBy(refused);
        else if (sender == this)
            return true;
        else if (Guard.Judge(sender.Self.Node, message.Told, before, message.Body is not Ask.Hello) is { } refusal)
            Tell(sender.Number, refusal);
        else if (message.Body is Ask.Hello)
            Guard.WelcomedBy(sender.Self.Node);
        else
            return true;
        return false;
    }

    /// <summary>Whether a question is answered; if not, the asker hears why.</summary>
    private bool MayAsk(SwarmNode sender, SwarmMessage message)
    {
        if (sender.Self.Node == Self.Node && _cluster.Plan.Mistake != SwarmMistake.TrustsCopies)
        {
            if (History.GivesWayTo(message.Told))
                Quarantine("a copy of it has taken its place");
            else
                Answer(sender.Number, message, new Ask.Refused(History.Sighting));
            return false;
        }

        if (Guard.Judge(sender.Self.Node, message.Told, null, message.Body is not Ask.Hello) is { } refusal)
            Answer(sender.Number, message, refusal);
        else if (message.Body is Ask.Hello)
            Answer(sender.Number, message, new Ask.Hello());
        else
            return Guard.IsOpen;
        return false;
    }

    private void Handle(SwarmNode sender, SwarmMessage message)
    {
        var from = sender.Number;
        if (message.Body is Ask.Refused refusal)
        {
            Guard.RefusedBy(refusal);
            return;
        }

        if (!Guard.IsOpen)
            return;
        var peer = sender.Self;
        if (message.Body is Ask.Replica(var request))
            Tiles.Receive(request, peer.Node, reply => Answer(from, message, reply));
        else
            Ring.Receive(peer, message.Body, answer => Answer(from, message, answer));
    }

    private void Answer(int to, SwarmMessage question, object body) =>
        _cluster.World.Send(Number, to, new SwarmMessage(question.Call, true, body, History));

    private void End(ulong call, object? answer)
    {
        if (_calls.Remove(call, out var pending))
            pending.Done(answer);
    }

    /// <summary>A process at the other end of open calls has died: their connection breaks.</summary>
    private void Broke(int other)
    {
        foreach (var (call, _) in _calls.Where(call => call.Value.To == other).ToArray())
            _cluster.World.After(Number, TimeSpan.FromMilliseconds(1), () => End(call, null));
    }

    private readonly record struct Pending(int To, Action<object?> Done, DiskSighting? Before);
}

/// <summary>A copy of a node's disk.</summary>
internal sealed record DiskImage(
    MemoryReplicaStore Store,
    ulong CommitCount,
    ImmutableArray<DiskRun> Runs,
    IReadOnlyDictionary<NodeId, DiskSighting> Sightings,
    IReadOnlyList<Peer> Remembered,
    NodeTimes Times);
