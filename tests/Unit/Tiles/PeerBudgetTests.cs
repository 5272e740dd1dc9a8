using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#what-peers-make-grow.</summary>
public class PeerBudgetTests
{
    private static readonly PeerLimits Limits = new()
    {
        PromisesMax = 3,
        PromiseEvery = TimeSpan.FromSeconds(10),
        RegisterBytesMax = 10_000,
        RegisterBytesPerSecond = 100,
        MailBytesMax = 3 * (1_000 + PeerLimits.MessageBytes),
        MailBytesPerSecond = 10,
    };

    private readonly Bench _bench = new(peers: Limits);
    private ulong _round = 1;
    private uint _id;

    private static NodeId Member => new((UInt128)2UL << 124, 0);

    private static NodeId Stranger => new(9, 9);

    private TileEpoch At => _bench.Now.At;

    public static TheoryData<bool> Callers => new(true, false);

    [Theory]
    [MemberData(nameof(Callers))]
    public void A_node_has_so_many_promises_to_which_no_value_followed(bool isMember)
    {
        var from = isMember ? Member : Stranger;
        for (var i = 0; i < 3; i++)
            Assert.IsType<ReplicaReply.Promised>(Prepare(from, $"k{i}"));
        Assert.IsType<ReplicaReply.TooMany>(Prepare(from, "k3"));
        Assert.IsType<ReplicaReply.Promised>(Prepare(from, "k2")); // It is there already.
        Assert.IsType<ReplicaReply.Promised>(Prepare(new NodeId(8, 8), "k3")); // Another one's are counted apart.
        Assert.Equal(3 + 1, Registers()); // Nothing was made of what was refused.

        Assert.IsType<ReplicaReply.Accepted>(Accept(from, "k2", 10)); // A value follows.
        Assert.IsType<ReplicaReply.Promised>(Prepare(from, "k4"));
        Assert.IsType<ReplicaReply.TooMany>(Prepare(from, "k5"));
        _bench.UnixMs += 10_000; // One is forgotten.
        Assert.IsType<ReplicaReply.Promised>(Prepare(from, "k5"));
        Assert.IsType<ReplicaReply.TooMany>(Prepare(from, "k6"));
    }

    [Theory]
    [MemberData(nameof(Callers))]
    public void A_node_makes_registers_grow_by_so_much(bool isMember)
    {
        var from = isMember ? Member : Stranger;
        for (var i = 0; i < 3; i++)
        {
            Prepare(from, $"k{i}");
            Assert.IsType<ReplicaReply.Accepted>(Accept(from, $"k{i}", 3_000));
        }

        Assert.IsType<ReplicaReply.TooMany>(Prepare(from, "k3"));
        Assert.IsType<ReplicaReply.TooMany>(Accept(from, "k3", 10));
        Assert.IsType<ReplicaReply.TooMany>(Accept(from, "k0", 3_001));
        Assert.IsType<ReplicaReply.Accepted>(Accept(from, "k0", 3_000)); // No more than before.
        _bench.UnixMs += 60_000;
        Assert.IsType<ReplicaReply.Accepted>(Accept(from, "k3", 3_000));
    }

    /// <summary>One user of an honest node may do so with an account.</summary>
    [Fact]
    public void A_register_that_grows_and_shrinks_again_uses_nothing_up()
    {
        Prepare(Stranger, "k0");
        for (var i = 0; i < 20; i++)
            Assert.IsType<ReplicaReply.Accepted>(Accept(Stranger, "k0", i % 2 == 0 ? 9_000 : 10));
        Prepare(Stranger, "k1");
        Assert.IsType<ReplicaReply.Accepted>(Accept(Stranger, "k1", 3_000));
    }

    [Fact]
    public void The_node_itself_is_not_bound()
    {
        for (var i = 0; i < 20; i++)
        {
            Prepare(_bench.Ids[0], $"k{i}");
            Assert.IsType<ReplicaReply.Accepted>(Accept(_bench.Ids[0], $"k{i}", 3_000));
            Assert.IsType<ReplicaReply.Added>(Add(_bench.Ids[0], "mbox"));
        }
    }

    [Fact]
    public void A_node_that_keeps_no_mail_here_brings_so_much_of_it_until_it_is_read()
    {
        for (var i = 0; i < 3; i++)
            Assert.IsType<ReplicaReply.Added>(Add(Stranger, $"m{i}"));
        Assert.IsType<ReplicaReply.TooMany>(Add(Stranger, "m3"));
        Assert.IsType<ReplicaReply.Added>(Again(Stranger, "m2")); // It is there already.
        Assert.IsType<ReplicaReply.Added>(Add(Member, "m3"));
        Assert.IsType<ReplicaReply.Added>(Add(new NodeId(8, 8), "m3"));

        Ask(Stranger, new ReplicaRequest.Acknowledge(At, "m1", [new MessageId(2), new MessageId(99)]));
        Assert.IsType<ReplicaReply.Added>(Add(Stranger, "m4"));
        Assert.IsType<ReplicaReply.TooMany>(Add(Stranger, "m4"));
        _bench.UnixMs += 200_000;
        Assert.IsType<ReplicaReply.Added>(Add(Stranger, "m4"));
    }

    [Fact]
    public void Marks_of_what_was_never_here_are_counted_and_what_is_here_is_always_buried()
    {
        Add(Member, "m");
        var ids = Enumerable.Range(100, 60).Select(i => new MessageId((UInt128)i)).ToArray();
        Assert.IsType<ReplicaReply.TooMany>(
            Ask(Stranger, new ReplicaRequest.Acknowledge(At, "m", [.. ids, new MessageId(1)])));
        Assert.Equal(30, ids.Count(id => _bench.Stores[0].GetEntry(Tile, "m", id) is not null));
        Assert.Null(_bench.Stores[0].GetEntry(Tile, "m", new MessageId(1))!.Value.Content);
        Assert.IsType<ReplicaReply.Acknowledged>(Ask(Member, new ReplicaRequest.Acknowledge(At, "m", [.. ids])));
        Assert.IsType<ReplicaReply.Acknowledged>(Ask(Stranger, new ReplicaRequest.Acknowledge(At, "m", [.. ids])));
    }

    [Fact]
    public void Mail_that_is_read_as_it_comes_is_never_too_much()
    {
        for (var i = 0; i < 1_000; i++)
        {
            Assert.IsType<ReplicaReply.Added>(Add(Stranger, "m"));
            Ask(Member, new ReplicaRequest.Acknowledge(At, "m", [new MessageId(_id)]));
        }
    }

    private ReplicaReply Prepare(NodeId from, string key) =>
        Ask(from, new ReplicaRequest.Prepare(At, key, new Ballot(1, ++_round, from, 1)));

    private ReplicaReply Accept(NodeId from, string key, int bytes) =>
        Ask(from, new ReplicaRequest.Accept(At, key, new Ballot(1, ++_round, from, 1), new byte[bytes]));

    private ReplicaReply Add(NodeId from, string set) =>
        Ask(from, new ReplicaRequest.Add(At, set, new MessageId(++_id), new byte[1_000]));

    private ReplicaReply Again(NodeId from, string set) =>
        Ask(from, new ReplicaRequest.Add(At, set, new MessageId(_id - 1), new byte[1_000]));

    private ReplicaReply Ask(NodeId from, ReplicaRequest request) =>
        _bench.Replicas[0].Handle(request, from, new ReplicaTime(_bench.UnixMs, _bench.UnixMs));

    private int Registers() => Enumerable.Range(0, 9)
        .Count(i => !_bench.Stores[0].GetRegister(Tile, $"k{i}").Highest.IsNone);
}
