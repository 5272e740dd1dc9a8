using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Tests.Simulation.Replication;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What must hold of all replicas at every moment, seen from above.</summary>
/// <remarks>
/// E1: one configuration per tile, generation and epoch. E2: no data operation is executed anywhere but at an active
/// member of exactly its epoch. E3: what was acknowledged is in every majority of the active members of the newest
/// epoch. E4: never two configurations of one tile that could both acknowledge. E1 and E2 are checked at every step; E3
/// and E4 every 100 messages, for tiles where anything changed that could matter.
/// </remarks>
internal sealed class SwarmWatch(SwarmCluster cluster)
{
    private const int StepsBetween = 100;
    private readonly Dictionary<TileEpoch, TileConfiguration> _chain = [];
    private readonly Dictionary<TileId, TileConfiguration> _newest = [];
    private readonly HashSet<TileId> _doubtful = [];
    private readonly Dictionary<TileId, ulong> _ends = [];
    private readonly SortedDictionary<string, Promise> _registers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(string Set, MessageId Id), Message> _messages = [];
    private int _steps;

    /// <summary>The first thing that went wrong, in words, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>How many configurations were decided, the first ones not counted.</summary>
    public int MoveCount => _chain.Keys.Count(at => at.Epoch > 1);

    /// <summary>Bytes of rows that learners took in.</summary>
    public long BytesMoved { get; private set; }

    /// <summary>How many tiles were cut in two.</summary>
    public int CutCount => _ends.Count;

    /// <summary>How many tombstones all members of their tile have forgotten.</summary>
    public int ForgottenCount { get; private set; }

    /// <summary>The newest configuration of each tile that anybody has heard of, without those that were cut.</summary>
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

        var wider = next.Tile;
        for (var i = next.Splits.Length - 1; i >= 0; i--)
            End(wider = wider.Wider, next.Splits[i], next);
        if (_ends.TryGetValue(next.Tile, out var end))
        {
            if (next.Epoch > end)
                Blame($"E1: {next}, although the tile was cut after epoch {end}");
            return;
        }

        _doubtful.Add(next.Tile);
        if (next.IsNewerThan(_newest.GetValueOrDefault(next.Tile)))
            _newest[next.Tile] = next;
    }

    /// <summary>A tile was cut after this epoch, says a configuration of one of its parts.</summary>
    private void End(TileId tile, ulong epoch, TileConfiguration part)
    {
        if (_newest.Remove(tile, out var newest) && newest.Epoch > epoch)
            Blame($"E1: {newest}, although {part} says that the tile was cut after epoch {epoch}");
        if (!_ends.TryAdd(tile, epoch) && _ends[tile] != epoch)
            Blame($"E1: {tile} was cut after epoch {_ends[tile]} and after {epoch}");
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
        if (((request as ReplicaRequest.Absorb)?.Page ?? (request as ReplicaRequest.Activate)?.Last) is { } page)
            BytesMoved += page.Registers.Sum(row => row.Value.Length + 100L)
                + page.Entries.Sum(entry => (entry.Content?.Length ?? 0) + 50L);
        var isData = request is ReplicaRequest.Prepare or ReplicaRequest.Accept or ReplicaRequest.Peek
            or ReplicaRequest.Add or ReplicaRequest.Acknowledge or ReplicaRequest.Scan;
        var isDone = reply is ReplicaReply.Promised or ReplicaReply.Accepted or ReplicaReply.Nack or ReplicaReply.Peeked
            or ReplicaReply.Added or ReplicaReply.Buried or ReplicaReply.Full or ReplicaReply.Acknowledged
            or ReplicaReply.Scanned;
        if (isData && isDone && (before is not { Phase: TilePhase.Active } || before.Configuration.At != request.At))
            Blame($"E2: {node.Self} executed {request.GetType().Name} of epoch {request.At.Epoch} "
                + $"while {before?.Phase} in {before?.Configuration}");
    }

    /// <summary>A client was told that the register holds this list, and that it will not shrink again.</summary>
    public void Promised(string key, ReadOnlyMemory<byte> list)
    {
        var point = RowName.PointOf(key);
        if (!_registers.TryGetValue(key, out var known) || known.List.Length < list.Length)
            _registers[key] = new(point, list);
        Doubt(point);
    }

    /// <summary>A sender was told that the message is kept.</summary>
    public void Kept(string set, MessageId id)
    {
        var point = RowName.PointOf(set);
        _messages.TryAdd((set, id), new(point));
        Doubt(point);
    }

    /// <summary>Somebody begins to acknowledge a kept message.</summary>
    public void Burying(string set, MessageId id)
    {
        if (_messages.TryGetValue((set, id), out var message))
            message.IsBurying = true;
    }

    /// <summary>Its acknowledgement was confirmed.</summary>
    public void Buried(string set, MessageId id)
    {
        if (!_messages.TryGetValue((set, id), out var message))
            return;
        message.IsBuried = true;
        Doubt(message.Point);
    }

    public void Collected(int count) => ForgottenCount += count;

    public void CheckDoubtful()
    {
        if (Fault is not null || _doubtful.Count == 0)
            return;
        foreach (var tile in _doubtful.Order().ToArray())
            Check(tile);
        _doubtful.Clear();
    }

    private void Doubt(RingId point) => _doubtful.UnionWith(_newest.Keys.Where(tile => tile.Contains(point)));

    private void Check(TileId tile)
    {
        if (!_newest.TryGetValue(tile, out var newest))
            return;
        var active = cluster.Nodes.Where(node => !node.IsDestroyed && !node.IsGone && (!node.IsCopy || node.Serves))
            .GroupBy(node => node.Self.Node).Select(same => same.MaxBy(node => node.StartCount)!)
            .SelectMany(node => WithWider(tile).Select(at => (Node: node, Header: node.Store.PeekHeader(at))))
            .Where(one => one.Header is { Phase: TilePhase.Active }).ToArray();
        var able = active.GroupBy(one => one.Header!.Configuration)
            .Where(same => same.Select(one => one.Node.Self.Node).Distinct().Count() >= same.Key.Majority).ToArray();
        if (able.Length > 1)
            Blame($"E4: two majorities could acknowledge: {able[0].Key} and {able[1].Key}");
        var stores = active.Where(one => one.Header!.Configuration == newest).Select(one => one.Node.Store).ToArray();
        foreach (var majority in Majorities(stores, newest.Majority))
            CheckMajority(tile, newest, majority);
    }

    /// <summary>The tile and all that it is a part of: only one of them may acknowledge.</summary>
    private IEnumerable<TileId> WithWider(TileId tile)
    {
        for (; tile.Bits > cluster.Plan.TileBits; tile = tile.Wider)
            yield return tile;
        yield return tile;
    }

    private void CheckMajority(TileId tile, TileConfiguration newest, MemoryReplicaStore[] majority)
    {
        foreach (var (key, (point, list)) in _registers)
            if (tile.Contains(point)
                && !majority.Select(store => store.PeekRegister(tile, key)).MaxBy(row => row.AcceptedBallot)
                    .Value.Span.StartsWith(list.Span))
                Blame($"E3: a majority of {newest} lacks what {key} was said to hold");
        foreach (var ((set, id), message) in _messages)
            if (tile.Contains(message.Point) && FaultOf(message, majority, tile, set, id) is { } fault)
                Blame($"E3: a majority of {newest} {fault} message {id.Value} of {set}");
    }

    /// <summary>A kept message is there until somebody acknowledges it. Then it is gone, or buried by somebody, until
    /// all have forgotten it.</summary>
    private string? FaultOf(Message message, MemoryReplicaStore[] majority, TileId tile, string set, MessageId id)
    {
        var isThere = majority.Any(store => store.HasEntry(tile, set, id));
        if (message.IsBuried && isThere && !majority.Any(store => store.IsBuried(tile, set, id)))
            return "has not heard of the acknowledgement of";
        var mayBeForgotten = message.IsBurying && cluster.Plan.Aging is not null;
        return isThere || mayBeForgotten ? null : "lacks kept";
    }

    private static IEnumerable<MemoryReplicaStore[]> Majorities(MemoryReplicaStore[] stores, int size)
    {
        for (var chosen = 0; chosen < 1 << stores.Length; chosen++)
            if (int.PopCount(chosen) == size)
                yield return [.. stores.Where((_, i) => (chosen & (1 << i)) != 0)];
    }

    private sealed record Promise(RingId Point, ReadOnlyMemory<byte> List);

    private sealed class Message(RingId point)
    {
        public RingId Point => point;
        public bool IsBurying { get; set; }
        public bool IsBuried { get; set; }
    }
}
