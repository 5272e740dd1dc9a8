using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>docs/protocol.md#tombstone-limit: how many a mailbox has, and who may add to one that has many.</summary>
public sealed class SetWearTests : IDisposable
{
    private const string Mailbox = "mbox/bob";
    private static readonly SetLimits Limits = new(10_000, 1 << 30, TombstoneCountMax: 400);
    private static readonly TileId Tile = new(7, 0x5a);
    private static readonly NodeId Self = new(1, 2);
    private static readonly TileConfiguration Configuration = new(Tile, 0, 1, [Self]);
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private SqliteReplicaStore _store;
    private Replica _replica;
    private long _now;
    private uint _next;

    public SetWearTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        (_store, _replica) = Open();
        _replica.Found([Configuration]);
    }

    public void Dispose()
    {
        _store.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void One_who_wears_a_mailbox_out_gets_half_of_its_tombstones_and_a_share_a_day()
    {
        Assert.Equal(201 + Limits.WearShareMax, TakenOf("mallory", 400));
        Assert.Equal(20, TakenOf("alice", 20));
        _store.Insert(Tile, Mailbox, new(new(++_next), EnvelopeOf("dave")), _now, SetLimits.None); // Of a repair.
        Assert.Equal(0, TakenOf("mallory", 20));
        _now += SetLimits.WearMs;
        Assert.Equal(Limits.WearShareMax, TakenOf("mallory", 400));
        Assert.Equal(400 - 201 - 2 * Limits.WearShareMax - 20, TakenOf("alice", 400));
        Assert.Equal(0, TakenOf("carol", 1));
    }

    [Fact]
    public void A_restarted_node_counts_the_tombstones_of_its_disk()
    {
        foreach (var from in new[] { "mallory", "alice", "carol", "dave", "eve" })
            TakenOf(from, 400);
        _store.Dispose();
        (_store, _replica) = Open();
        Assert.Equal(0, TakenOf("frank", 1));

        _now += (long)TimeSpan.FromDays(15).TotalMilliseconds;
        var ids = Enumerable.Range(1, 300).Select(id => new MessageId((uint)id));
        Ask(new ReplicaRequest.Forget(Configuration.At, Mailbox, [.. ids]));
        Assert.Equal(20, TakenOf("frank", 20));
    }

    /// <summary>How many of so many messages were taken, each acknowledged at once.</summary>
    private int TakenOf(string from, int count)
    {
        var taken = 0;
        for (var i = 0; i < count; i++)
        {
            var id = new MessageId(++_next);
            if (Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, id, EnvelopeOf(from))) is not ReplicaReply.Added)
                continue;
            taken++;
            Ask(new ReplicaRequest.Acknowledge(Configuration.At, Mailbox, [id]));
        }

        return taken;
    }

    /// <summary>As much of one as is read.</summary>
    private static byte[] EnvelopeOf(string from)
    {
        var cluster = new ClusterId(7);
        return [.. "CCDM"u8, 1, .. cluster.ToBytes(), .. Conversation.Between(cluster, from, "bob").ToBytes(), 0];
    }

    private (SqliteReplicaStore Store, Replica Replica) Open()
    {
        var store = new SqliteReplicaStore(_data.Database.Connection, row => Assert.Fail($"{row} is damaged"));
        return (store, new Replica(Self, store, Limits));
    }

    private ReplicaReply Ask(ReplicaRequest request) => _replica.Handle(request, Self, new ReplicaTime(_now, _now));
}
