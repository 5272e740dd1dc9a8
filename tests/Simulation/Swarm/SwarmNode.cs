using ChordChat.Core.Ring;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>One machine with one process of a whole node: its disk, its clock, its calls. What it thinks is
/// <see cref="RingHost"/> and <see cref="TileHost"/>, which die with the process.</summary>
internal sealed class SwarmNode
{
    private readonly SwarmCluster _cluster;
    private readonly SortedDictionary<ulong, Pending> _calls = [];
    private ulong _starts;
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

    /// <summary>A node of another cluster, which is in earshot: no certificate of either is good at the other.</summary>
    public bool IsStranger { get; }

    public Disk Disk { get; private set; }

    public MemoryReplicaStore Store { get; private set; }

    /// <summary>Whom it met last time; on disk.</summary>
    public IReadOnlyList<Peer> Remembered { get; set; } = [];

    /// <summary>A mistake: it met nobody at its first start and took itself for the whole cluster.</summary>
    public bool FoundedAlone { get; private set; }

    /// <summary>How far its wall clock is off.</summary>
    public TimeSpan ClockError { get; set; }

    /// <summary>Gone for ever: destroyed, or left.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Whether its disk is gone with it, and all that it kept.</summary>
    public bool IsDestroyed { get; private set; }

    public RingHost Ring { get; private set; } = null!;

    public TileHost Tiles { get; private set; } = null!;

    public bool IsUp => _cluster.World.IsUp(Number);

    /// <summary>Up and not paused: it answers when it is asked.</summary>
    public bool IsThere => IsUp && !_cluster.World.IsPaused(Number);

    public SwarmCluster Cluster => _cluster;

    public void Boot()
    {
        _starts++; // On disk before the first message, like the node's own counter.
        FoundedAlone |= _starts == 1 && _cluster.Plan.Mistake == SwarmMistake.FoundsAlone
            && !_cluster.Nodes.Any(other => other != this && other.IsUp);
        _calls.Clear();
        try
        {
            Ring = new RingHost(this, MembershipState.FirstIncarnation(_starts));
            Tiles = new TileHost(this, _starts);
        }
        catch (DamagedRowException damage)
        {
            Ruin(damage.Message);
            return;
        }

        Ring.Start();
        Tiles.Start();
        if (_cluster.IsCalm)
            Tiles.Scrub();
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
        (IsGone, IsDestroyed) = (true, true);
        _cluster.Watch.Doubt();
    }

    /// <summary>Goes away on purpose, after its last words.</summary>
    public void Leave()
    {
        IsGone = true;
        Crash(CrashKind.Survived);
    }

    /// <summary>Puts another disk in place of its own, before a start.</summary>
    public void Replace(MemoryReplicaStore image, ulong starts)
    {
        Disk = new Disk();
        Store = new MemoryReplicaStore(Disk, image);
        _starts = starts;
        _cluster.Watch.Doubt();
    }

    public (MemoryReplicaStore Image, ulong Starts) Snapshot() => (new MemoryReplicaStore(new Disk(), Store), _starts);

    /// <summary>Asks somebody at an address; the answer, or null when none comes in time or ever will.</summary>
    /// <param name="timeout">None: only a broken connection ends it.</param>
    /// <param name="refused">Told when the machine is there and nobody listens.</param>
    public void Call(string address, object request, TimeSpan? timeout, Action<object?> done, Action? refused = null)
    {
        var call = ++_lastCall;
        var to = _cluster.NumberOf(address);
        if (to < 0)
        {
            _cluster.World.After(Number, TimeSpan.Zero, () => done(null));
            return;
        }

        _calls.Add(call, new Pending(to, done));
        _cluster.World.Send(Number, to, new SwarmMessage(call, false, request));
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
    public void Tell(int to, object what) => _cluster.World.Send(Number, to, new SwarmMessage(0, false, what));

    public void Receive(int from, SwarmMessage message)
    {
        _cluster.Watch.Step();
        var sender = _cluster.Machines[from];
        if (sender.IsStranger != IsStranger && message.Body is not Ask.Beacon && _cluster.Plan.Mistake != SwarmMistake.HearsStrangers)
            return;
        if (message.IsAnswer)
        {
            if (_calls.TryGetValue(message.Call, out var call) && call.To == from)
                End(message.Call, message.Body);
            return;
        }

        var peer = sender.Self;
        if (message.Body is Ask.Replica(var request))
            Tiles.Submit(request, peer.Node, reply => Answer(from, message, reply));
        else
            Ring.Receive(peer, message.Body, answer => Answer(from, message, answer));
    }

    private void Answer(int to, SwarmMessage question, object body) =>
        _cluster.World.Send(Number, to, new SwarmMessage(question.Call, true, body));

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

    private readonly record struct Pending(int To, Action<object?> Done);
}
