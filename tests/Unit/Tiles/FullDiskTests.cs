using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#room-on-the-disk.</summary>
public class FullDiskTests
{
    private readonly Bench _bench = new();

    private TileEpoch At => _bench.Now.At;

    [Fact]
    public void Without_room_a_replica_takes_nothing_new_and_goes_on_with_what_it_has()
    {
        var (replica, there) = (_bench.Replicas[0], new MessageId(1));
        Add(1);
        Add(2);
        Ask(new ReplicaRequest.Accept(At, "k", _bench.Ballots.Next(1, default), Bytes("a")));
        Ask(new ReplicaRequest.Prepare(At, "p", _bench.Ballots.Next(1, default)));
        replica.HasRoom = false;

        Assert.IsType<ReplicaReply.NoRoom>(Add(3));
        Assert.IsType<ReplicaReply.Added>(Add(1));
        Assert.IsType<ReplicaReply.Acknowledged>(Ask(new ReplicaRequest.Acknowledge(At, "m", [there])));
        Assert.IsType<ReplicaReply.Buried>(Add(1));
        Assert.Single(Assert.IsType<ReplicaReply.Scanned>(Ask(new ReplicaRequest.Scan(At, "m", 0, 9))).Messages);
        var ballot = _bench.Ballots.Next(1, default);
        Assert.IsType<ReplicaReply.Promised>(Ask(new ReplicaRequest.Prepare(At, "k", ballot)));
        Assert.IsType<ReplicaReply.Accepted>(Ask(new ReplicaRequest.Accept(At, "k", ballot, Bytes("b"))));
        Assert.IsType<ReplicaReply.NoRoom>(Ask(new ReplicaRequest.Prepare(At, "new", ballot)));
        Assert.IsType<ReplicaReply.NoRoom>(Ask(new ReplicaRequest.Accept(At, "new", ballot, Bytes("c"))));
        Assert.IsType<ReplicaReply.NoRoom>(Ask(new ReplicaRequest.Accept(At, "p", ballot, Bytes("c"))));
        Assert.IsType<ReplicaReply.Accepted>(Ask(new ReplicaRequest.Decide(At, ballot, _bench.Now.Next(_bench.Ids))));

        replica.HasRoom = true;
        Assert.IsType<ReplicaReply.SealGranted>(
            Ask(new ReplicaRequest.Seal(At, _bench.Ballots.Next(1, ballot))));
    }

    [Fact]
    public void A_message_that_one_disk_has_no_room_for_is_kept_by_the_others()
    {
        _bench.Replicas[2].HasRoom = false;
        var add = NewAdd(1);
        _bench.Run(add);
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
        Assert.Equal(2, add.CopyCount);
    }

    /// <summary>It is no full mailbox: whoever hands it in keeps it and tries again.</summary>
    [Fact]
    public void A_message_that_no_majority_has_room_for_waits_and_is_kept_when_there_is_room()
    {
        _bench.Replicas[1].HasRoom = _bench.Replicas[2].HasRoom = false;
        var add = NewAdd(1);
        _bench.Run(add);
        Assert.IsType<SetAddOutcome.Queued>(add.Outcome);

        _bench.Replicas[1].HasRoom = _bench.Replicas[2].HasRoom = true;
        var again = NewAdd(1);
        _bench.Run(again);
        Assert.IsType<SetAddOutcome.Stored>(again.Outcome);
        Assert.Equal(3, again.CopyCount);
    }

    /// <summary>Read repair finds no room, and the message is shown all the same.</summary>
    [Fact]
    public void A_mailbox_is_read_where_there_is_no_room()
    {
        Add(1);
        foreach (var replica in _bench.Replicas)
            replica.HasRoom = false;
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default, 1);
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Single(_bench.Effects.OfType<Effect.Deliver>().SelectMany(brought => brought.Messages));
    }

    [Fact]
    public void Repair_brings_nothing_new_where_there_is_no_room_and_buries_all_the_same()
    {
        Add(1);
        var replica = _bench.Replicas[0];
        replica.HasRoom = false;
        var page = new TilePage(
            [new("k", _bench.Ballots.Next(1, default), Bytes("a"))],
            [new("m", new MessageId(1), null, 0), new("m", new MessageId(2), Bytes("x"), 0)], null);
        var mend = new ReplicaRequest.Mend(At, page, _bench.UnixMs);
        Ask(mend);
        Assert.Null(_bench.Stores[0].GetEntry(Tile, "m", new MessageId(1))!.Value.Content);
        Assert.Null(_bench.Stores[0].GetEntry(Tile, "m", new MessageId(2)));
        Assert.True(_bench.Stores[0].GetRegister(Tile, "k").AcceptedBallot.IsNone);

        replica.HasRoom = true;
        Ask(mend);
        Assert.NotNull(_bench.Stores[0].GetEntry(Tile, "m", new MessageId(2)));
        Assert.False(_bench.Stores[0].GetRegister(Tile, "k").AcceptedBallot.IsNone);
    }

    private SetAdd NewAdd(uint id) => new(_bench.Now, "m", Message(id), CoordinatorOptions.Default, 1);

    private ReplicaReply Add(uint id) => Ask(new ReplicaRequest.Add(At, "m", new MessageId(id), Bytes("hello")));

    private ReplicaReply Ask(ReplicaRequest request) => _bench.Ask(0, request);
}
