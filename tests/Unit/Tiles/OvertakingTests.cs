using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#overtaking: one that lies answers each promise that another node gets by taking it
/// away.</summary>
public sealed class OvertakingTests
{
    private readonly Bench _bench = new();

    private NodeId Liar => _bench.Ids[2];

    [Fact]
    public void Nobody_keeps_others_from_changing_a_register_by_outrunning_them()
    {
        _bench.Lie = (node, request) => request is ReplicaRequest.Accept accept && node < 2
            ? Overtake(node, new ReplicaRequest.Prepare(accept.At, "k", Above(accept.Ballot)))
            : null;
        Assert.Contains(Enumerable.Range(0, 8), _ => Create() is RegisterChangeOutcome.Stored);
    }

    [Fact]
    public void Nobody_does_so_by_writing_back_what_is_there()
    {
        Assert.IsType<RegisterChangeOutcome.Stored>(Create());
        _bench.Lie = (node, request) => request is ReplicaRequest.Accept accept && node < 2
            ? Overtake(node, new ReplicaRequest.Accept(accept.At, "k", Above(accept.Ballot), Bytes("a")))
            : null;
        Assert.Contains(Enumerable.Range(0, 8), _ => Create("b") is RegisterChangeOutcome.Stored);
    }

    [Fact]
    public void Nobody_keeps_a_tile_sealed_by_outrunning_them()
    {
        _bench.Lie = (node, request) => request is ReplicaRequest.Decide decide && node < 2
            ? Overtake(node, new ReplicaRequest.Seal(decide.At, Above(decide.Ballot)))
            : null;
        Assert.Contains(Enumerable.Range(0, 8), _ =>
        {
            var change = new EpochChange(
                _bench.Now, _bench.Now.Members, _bench.Ballots, CoordinatorOptions.Default, 1);
            _bench.Run(change);
            return change.Outcome is EpochChangeOutcome.Decided;
        });
    }

    /// <summary>Otherwise one that lies could use up what others may overtake.</summary>
    [Fact]
    public void Who_has_overtaken_too_often_waits_for_a_moment_however_often_the_other_is_promised_the_same()
    {
        var other = new NodeId(8, 8);
        for (var i = 0; i < 32; i++)
        {
            Assert.IsType<ReplicaReply.Promised>(Prepare($"k{i}", 1, Liar));
            Assert.IsType<ReplicaReply.Promised>(Prepare($"k{i}", 2, other));
        }

        for (var round = 1UL; round <= 10; round++, _bench.UnixMs += 49)
        {
            Assert.IsType<ReplicaReply.Promised>(Prepare("k", 2 * round, Liar));
            Assert.IsType<ReplicaReply.Nack>(Prepare("k", (2 * round) + 1, other));
        }

        _bench.UnixMs += 50;
        Assert.IsType<ReplicaReply.Promised>(Prepare("k", 50, Liar));
        Assert.IsType<ReplicaReply.Promised>(Prepare("k", 51, other));
    }

    private static Ballot Above(Ballot ballot) => ballot with { Round = ballot.Round + 1 };

    private ReplicaReply? Overtake(int node, ReplicaRequest request)
    {
        _bench.Replicas[node].Handle(request, Liar, _bench.UnixMs);
        return null;
    }

    private ReplicaReply Prepare(string key, ulong round, NodeId from) => _bench.Replicas[0].Handle(
        new ReplicaRequest.Prepare(_bench.Now.At, key, new(1, round, from, 1)), from, _bench.UnixMs);

    private RegisterChangeOutcome? Create(string value = "a")
    {
        var change = new RegisterChange(
            _bench.Now, "k", _ => (ReadOnlyMemory<byte>?)Bytes(value), _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(change);
        return change.Outcome;
    }
}
