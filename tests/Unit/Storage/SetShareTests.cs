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

/// <summary>docs/protocol.md#share: one stranger cannot keep friends out of a mailbox.</summary>
public sealed class SetShareTests : IDisposable
{
    private const string Mailbox = "mbox/bob";
    private static readonly SetLimits Limits = new(200, 1 << 30);
    private static readonly TileId Tile = new(7, 0x5a);
    private static readonly NodeId Self = new(1, 2);
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly SqliteReplicaStore _store;
    private readonly Replica _replica;
    private uint _next;

    public SetShareTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        _store = new SqliteReplicaStore(_data.Database.Connection, row => Assert.Fail($"{row} is damaged"));
        _replica = new Replica(Self, _store, Limits);
        _replica.Found([Configuration]);
    }

    private static TileConfiguration Configuration => new(Tile, 0, 1, [Self]);

    public void Dispose()
    {
        _store.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_stranger_fills_half_a_mailbox_and_friends_still_get_in()
    {
        Assert.Equal(101, Enumerable.Range(0, 150).Count(_ => IsTaken("mallory")));
        Assert.All(Enumerable.Range(0, 20), _ => Assert.True(IsTaken("alice")));
        Assert.False(IsTaken("mallory"));
        Assert.Equal(44, Enumerable.Range(0, 100).Count(_ => IsTaken("alice")));
        Assert.True(IsTaken("carol"));
    }

    [Fact]
    public void Who_is_read_may_write_again()
    {
        Assert.Equal(101, Enumerable.Range(0, 150).Count(_ => IsTaken("mallory")));
        var ids = Enumerable.Range(1, 100).Select(id => new MessageId((uint)id));
        Ask(new ReplicaRequest.Acknowledge(Configuration.At, Mailbox, [.. ids]));
        Assert.All(Enumerable.Range(0, 90), _ => Assert.True(IsTaken("mallory")));
    }

    /// <summary>It may be 64 MiB, on the writer's thread.</summary>
    [Fact]
    public void A_crowded_mailbox_is_read_for_the_shares_once_whatever_is_buried()
    {
        var row = new SetRow(1);
        row.Measured(bytes: 0, entries: 0);
        var reads = 0;
        for (var i = 0; i < 150; i++)
            row.Added(EnvelopeOf("alice"));
        for (var i = 0; i < 1_000; i++)
        {
            Assert.True(row.HasRoom(EnvelopeOf("mallory"), 0, Limits with { TombstoneCountMax = 1 << 20 }, Scan));
            row.Added(EnvelopeOf("mallory"));
            row.Buried(EnvelopeOf("mallory").Length, EnvelopeOf("mallory"));
        }

        Assert.Equal(1, reads);

        ReplicaReply.Scanned Scan(long after)
        {
            reads++;
            return new([], after, More: false);
        }
    }

    private bool IsTaken(string from) =>
        Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, new(++_next), EnvelopeOf(from))) is ReplicaReply.Added;

    /// <summary>As much of one as is read.</summary>
    private static byte[] EnvelopeOf(string from)
    {
        var cluster = new ClusterId(7);
        return [.. "CCDM"u8, 1, .. cluster.ToBytes(), .. Conversation.Between(cluster, from, "bob").ToBytes(), 0];
    }

    private ReplicaReply Ask(ReplicaRequest request) => _replica.Handle(request, Self, new ReplicaTime(0, 0));
}
