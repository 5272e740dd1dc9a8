using ChordChat.Core.Replication;
using ChordChat.Tests.Simulation.Replication;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What must hold of all replicas at every moment, seen from above.</summary>
/// <remarks>
/// E1: one configuration per tile, generation and epoch. E2: no data operation is executed anywhere but at an active member
/// of exactly its epoch. E3: what was acknowledged is in every majority of the active members of the newest epoch. E4:
/// never two configurations of one tile that could both acknowledge. E1 and E2 are checked at every step; E3 and E4 every
/// 100 messages, for tiles where anything changed that could matter.
/// </remarks>
internal sealed class SwarmWatch(SwarmCluster cluster)
{
    private const int StepsBetween = 100;
    private readonly Dictionary<TileEpoch, TileConfiguration> _chain = [];
    private readonly Dictionary<TileId, TileConfiguration> _newest = [];
    private readonly HashSet<TileId> _doubtful = [];
    private readonly SortedDictionary<string, Promise> _registers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(TileId Tile, string Set, MessageId Id), bool> _messages = [];
    private int _steps;

    /// <summary>The first thing that went wrong, in words, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>How many configurations were decided, the first ones not counted.</summary>
    public int MoveCount => _chain.Keys.Count(at => at.Epoch > 1);

    /// <summary>Bytes of rows that learners took in.</summary>
    public long BytesMoved { get; private set; }

    /// <summary>The newest configuration of each tile that anybody has heard of.</summary>
    public IReadOnlyDictionary<TileId, TileConfiguration> Newest => _newest;

    public void Blame(string fault) => Fault ??= fault;

    /// <summary>A message was handled.</summary>
    public void Step()
    {
        if (++_steps % StepsBetween == 0)
            CheckDoubtful();
    }

    /// <summary>Disks changed behind the replicas' backs: everything is to be checked again.</summary>
    public void Doubt() => _doubtful.UnionWith(_newest.Keys);

    public void Decided(TileConfiguration next)
    {
        if (!_chain.TryAdd(next.At, next))
        {
            if (_chain[next.At] != next)
                Blame($"E1: two configurations of one epoch: {_chain[next.At]} and {next}");
            return;
        }

        _doubtful.Add(next.Tile);
        if (next.IsNewerThan(_newest.GetValueOrDefault(next.Tile)))
            _newest[next.Tile] = next;
    }

    /// <summary>A replica took on a header.</summary>
    public void Saw(SwarmNode node, TileHeader header)
    {
        cluster.World.Note(node.Number, $"{header.Phase} {header.Configuration}, pending {header.Pending}");
        if (node.IsStranger)
            return;
        _doubtful.Add(header.Tile);
        Decided(header.Newest);
        Decided(header.Configuration);
    }

    /// <summary>A replica answered a request; <paramref name="before"/> is what it was then.</summary>
    public void Executed(SwarmNode node, TileHeader? before, ReplicaRequest request, ReplicaReply reply)
    {
        if (node.IsStranger)
            return;
        if (request is ReplicaRequest.Absorb(_, var page))
            BytesMoved += page.Registers.Sum(row => row.Value.Length + 100L)
                + page.Entries.Sum(entry => (entry.Content?.Length ?? 0) + 50L);
        var isData = request is ReplicaRequest.Prepare or ReplicaRequest.Accept or ReplicaRequest.Peek
            or ReplicaRequest.Add or ReplicaRequest.Acknowledge or ReplicaRequest.Scan;
        var isDone = reply is ReplicaReply.Promised or ReplicaReply.Accepted or ReplicaReply.Nack or ReplicaReply.Peeked
            or ReplicaReply.Added or ReplicaReply.Buried or ReplicaReply.Full or ReplicaReply.Acknowledged
            or ReplicaReply.Scanned;
        if (isData && isDone && (before is not { Phase: TilePhase.Active } || before.Configuration.At != request.At))
            Blame($"E2: {node.Self} executed {request.GetType().Name} of epoch {request.At.Epoch} while {before?.Phase} in "
                + $"{before?.Configuration}");
    }

    /// <summary>A client was told that the register holds this list, and that it will not shrink again.</summary>
    public void Promised(string key, TileId tile, ReadOnlyMemory<byte> list)
    {
        if (!_registers.TryGetValue(key, out var known) || known.List.Length < list.Length)
            _registers[key] = new(tile, list);
        _doubtful.Add(tile);
    }

    /// <summary>A sender was told that the message is kept.</summary>
    public void Kept(TileId tile, string set, MessageId id)
    {
        _messages.TryAdd((tile, set, id), true);
        _doubtful.Add(tile);
    }

    public void CheckDoubtful()
    {
        if (Fault is not null || _doubtful.Count == 0)
            return;
        foreach (var tile in _doubtful.Order().ToArray())
            Check(tile);
        _doubtful.Clear();
    }

    private void Check(TileId tile)
    {
        if (!_newest.TryGetValue(tile, out var newest))
            return;
        var active = cluster.Nodes.Where(node => !node.IsDestroyed && !node.IsGone && (!node.IsCopy || node.Serves))
            .GroupBy(node => node.Self.Node).Select(same => same.MaxBy(node => node.StartCount)!)
            .Select(node => (Node: node, Header: node.Store.PeekHeader(tile)))
            .Where(one => one.Header is { Phase: TilePhase.Active }).ToArray();
        var able = active.GroupBy(one => one.Header!.Configuration)
            .Where(same => same.Select(one => one.Node.Self.Node).Distinct().Count() >= same.Key.Majority).ToArray();
        if (able.Length > 1)
            Blame($"E4: two majorities could acknowledge: {able[0].Key} and {able[1].Key}");
        var stores = active.Where(one => one.Header!.Configuration == newest).Select(one => one.Node.Store).ToArray();
        foreach (var majority in Majorities(stores, newest.Majority))
            CheckMajority(tile, newest, majority);
    }

    private void CheckMajority(TileId tile, TileConfiguration newest, MemoryReplicaStore[] majority)
    {
        foreach (var (key, (at, list)) in _registers)
            if (at == tile && !majority.Select(store => store.PeekRegister(tile, key)).MaxBy(row => row.AcceptedBallot)
                .Value.Span.StartsWith(list.Span))
                Blame($"E3: a majority of {newest} lacks what {key} was said to hold");
        foreach (var ((at, set, id), _) in _messages)
            if (at == tile && !majority.Any(store => store.HasEntry(tile, set, id)))
                Blame($"E3: a majority of {newest} lacks kept message {id.Value} of {set}");
    }

    private static IEnumerable<MemoryReplicaStore[]> Majorities(MemoryReplicaStore[] stores, int size)
    {
        for (var chosen = 0; chosen < 1 << stores.Length; chosen++)
            if (int.PopCount(chosen) == size)
                yield return [.. stores.Where((_, i) => (chosen & (1 << i)) != 0)];
    }

    private sealed record Promise(TileId Tile, ReadOnlyMemory<byte> List);
}
