using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>Three replicas of one tile, whose requests are handed over by hand.</summary>
internal sealed class Bench
{
    public static readonly TileId Tile = new(7, 0x5a);
    private const int SendsMax = 100_000;

    public Bench(SetLimits? limits = null, IValueRules? values = null, PeerLimits? peers = null, int members = 3)
    {
        Ids = [.. Enumerable.Range(1, 5).Select(i => new NodeId((UInt128)(ulong)i << 124, 0))];
        Now = new TileConfiguration(Tile, 0, 1, Ids[..members]);
        Stores = [.. Ids.Select(_ => new MemoryReplicaStore(new Disk()))];
        Replicas = [.. Ids.Select((id, i) => new Replica(id, Stores[i], limits, values: values, peers: peers))];
        foreach (var replica in Replicas)
            replica.Found([Now]);
        Ballots = new BallotSource(Ids[0], 1);
    }

    public ImmutableArray<NodeId> Ids { get; }
    public TileConfiguration Now { get; }
    public MemoryReplicaStore[] Stores { get; }
    public Replica[] Replicas { get; }
    public BallotSource Ballots { get; }

    /// <summary>Nodes that do not get requests, and nodes whose replies are lost.</summary>
    public HashSet<int> Deaf { get; } = [];
    public HashSet<int> Mute { get; } = [];

    /// <summary>What a node answers instead of its replica; null: as its replica does.</summary>
    public Func<int, ReplicaRequest, ReplicaReply?>? Lie { get; set; }

    /// <summary>Requests that a node does not get.</summary>
    public Func<int, ReplicaRequest, bool>? Ignores { get; set; }

    /// <summary>How often a timer has rung.</summary>
    public int Rings { get; private set; }

    /// <summary>The calendar, the same for all; and for how long each node was off, which its running time
    /// lacks.</summary>
    public long UnixMs { get; set; } = 1000;
    public long[] OffMs { get; } = new long[5];

    public List<Effect> Effects { get; } = [];

    /// <summary>What is asked, and of whom, while nobody is deaf or mute by itself.</summary>
    public List<Effect.Send> Sent { get; } = [];

    /// <summary>All tiles as at first, but for this one.</summary>
    public TileDirectory DirectoryWith(TileConfiguration known) => new(Tile.Bits, TileId.All(Tile.Bits).Select(
        tile => tile == known.Tile ? known : Now with { Tile = tile }));

    /// <summary>A new process on the same disk.</summary>
    public void Restart(int node) => Replicas[node] = new Replica(Ids[node], Stores[node]);

    public ReplicaReply Ask(int node, ReplicaRequest request) =>
        Replicas[node].Handle(request, Ids[node], new ReplicaTime(UnixMs - OffMs[node], UnixMs));

    /// <summary>Runs a coordinator to its end; when nothing more is on its way the timer rings.</summary>
    /// <param name="passedMax">It rings too when so much has been passed on meanwhile.</param>
    public void Run(Coordinator coordinator, int passedMax = int.MaxValue)
    {
        var passed = 0;
        var queue = new Queue<Effect.Send>();
        Take(coordinator.Start(), queue);
        for (var ringing = 0; !coordinator.IsDone && ringing < 100;)
            if (Sent.Count > SendsMax)
                throw new InvalidOperationException("it asks for ever");
            else if (passed++ < passedMax && queue.TryDequeue(out var send))
                Pass(coordinator, send, queue);
            else
            {
                passed = 0;
                ringing++;
                Rings++;
                Take(coordinator.OnTimeout(), queue);
            }

        while (queue.TryDequeue(out var late))
            Pass(coordinator, late, queue); // What a coordinator sends with its last step goes out too.
    }

    private void Pass(Coordinator coordinator, Effect.Send send, Queue<Effect.Send> queue)
    {
        var node = Ids.IndexOf(send.To);
        if (node < 0 || Deaf.Contains(node) || Ignores?.Invoke(node, send.Request) == true)
            return;
        var reply = Lie?.Invoke(node, send.Request) ?? Ask(node, send.Request);
        if (!Mute.Contains(node))
            Take(coordinator.On(send.To, send.Request, reply), queue);
    }

    private void Take(IReadOnlyList<Effect> effects, Queue<Effect.Send> queue)
    {
        Effects.AddRange(effects);
        foreach (var send in effects.OfType<Effect.Send>())
        {
            Sent.Add(send);
            queue.Enqueue(send);
        }
    }

    /// <summary>All three members accept a value of the register "k" in the first epoch.</summary>
    public void Hold(string value)
    {
        var ballot = Ballots.Next(1, default);
        for (var node = 0; node < 3; node++)
            Assert.IsType<ReplicaReply.Accepted>(
                Ask(node, new ReplicaRequest.Accept(Now.At, "k", ballot, Bytes(value))));
    }

    /// <summary>Writes "k" past all rules, as a node can on its own disk.</summary>
    public void Plant(int node, Ballot ballot, string value) =>
        Stores[node].PutRegister(Tile, "k", new RegisterRow(ballot, ballot, Bytes(value)));

    public static ReadOnlyMemory<byte> Bytes(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.ASCII.GetString(bytes.Span);

    public static SetMessage Message(uint id, string content = "hello") => new(new MessageId(id), Bytes(content));
}
