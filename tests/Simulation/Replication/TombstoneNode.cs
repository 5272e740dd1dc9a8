using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>A node of <see cref="TombstoneWorld"/>: a replica with a running time and a calendar of its own.</summary>
internal sealed class TombstoneNode
{
    private readonly ReplicaRules _rules;
    private readonly SetLimits _limits;
    private Replica _replica;
    private long _offMs;
    private long? _offSinceMs;

    public TombstoneNode(
        NodeId id, TileConfiguration genesis, ReplicaRules rules, SetLimits limits, long calendarMs)
    {
        (Id, _rules, _limits, CalendarMs) = (id, rules, limits, calendarMs);
        _replica = Start();
        _replica.Found([genesis]);
        Ballots = new BallotSource(id, 1);
    }

    public NodeId Id { get; }

    public MemoryReplicaStore Store { get; } = new(new Disk());

    public BallotSource Ballots { get; }

    /// <summary>How wrong its calendar is.</summary>
    public long CalendarMs { get; }

    public bool IsReachable { get; private set; } = true;

    public TileHeader? Header => _replica.Headers.FirstOrDefault();

    public ReplicaReply Handle(ReplicaRequest request, NodeId from, long nowMs) =>
        _replica.Handle(request, request.IsLocal ? Id : from, new ReplicaTime(nowMs - _offMs, nowMs + CalendarMs));

    /// <summary>Cut off, and switched off perhaps.</summary>
    public void Leave(long nowMs, bool isOff) => (IsReachable, _offSinceMs) = (false, isOff ? nowMs : null);

    public void Return(long nowMs)
    {
        IsReachable = true;
        if (_offSinceMs is not { } since)
            return;
        (_offMs, _offSinceMs) = (_offMs + nowMs - since, null);
        _replica = Start();
        if (nowMs - since > RowAges.Default.TombstoneAge.TotalMilliseconds)
            foreach (var header in _replica.Headers.ToArray())
                Handle(new ReplicaRequest.Doubt(header.Tile), Id, nowMs);
    }

    /// <summary>What its steward would do, more or less.</summary>
    public Coordinator? Next(TileHeader header, CoordinatorOptions patience, Prng random) => header switch
    {
        { Phase: TilePhase.Away } => new Homecoming(Id, header.Configuration, patience),
        { Phase: TilePhase.Learning } => new Learner(Id, header, patience, random.Next()),
        { Phase: TilePhase.Sealed, Pending: { } pending } when pending.Contains(Id) =>
            new Learner(Id, header, patience, random.Next()),
        { Phase: TilePhase.Sealed, Pending: not null } => new Announcement(Id, header, patience),
        { Phase: TilePhase.Sealed or TilePhase.Damaged } => new EpochChange(
            header.Configuration, header.Configuration.Members, Ballots, patience, random.Next()),
        { Phase: TilePhase.Active } => new Announcement(Id, header, patience),
        _ => null,
    };

    public override string ToString() => Id.ToString()[..4];

    private Replica Start() => new(Id, Store, _limits, _rules);
}
