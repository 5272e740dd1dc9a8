using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#register, #set and #tiles: one replica, request by request.</summary>
public class ReplicaTests
{
    private readonly Bench _bench = new(new SetLimits(CountMax: 2, BytesMax: 1000));

    private TileEpoch At => _bench.Now.At;

    [Fact]
    public void A_nack_carries_the_highest_ballot()
    {
        var (low, high) = (_bench.Ballots.Next(1, default), _bench.Ballots.Next(1, default));
        Assert.IsType<ReplicaReply.Promised>(Ask(new ReplicaRequest.Prepare(At, "k", high)));
        Assert.Equal(new ReplicaReply.Nack(high), Ask(new ReplicaRequest.Prepare(At, "k", low)));
        Assert.Equal(new ReplicaReply.Nack(high), Ask(new ReplicaRequest.Accept(At, "k", low, Bytes("x"))));
        Assert.Equal(new ReplicaReply.Nack(high), Ask(new ReplicaRequest.Prepare(At, "k", high)));
    }

    [Fact]
    public void A_doubled_accept_is_accepted_twice_and_another_value_under_its_ballot_never()
    {
        var accept = new ReplicaRequest.Accept(At, "k", _bench.Ballots.Next(1, default), Bytes("x"));
        Assert.IsType<ReplicaReply.Accepted>(Ask(accept));
        Assert.IsType<ReplicaReply.Accepted>(Ask(accept));
        Assert.IsType<ReplicaReply.Nack>(Ask(accept with { Value = Bytes("y") }));
    }

    /// <summary>docs/protocol.md#no-empty-mail, whoever asks: here it is the node itself.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(SetLimits.ContentBytesMax + 1)]
    public void What_can_be_no_message_is_never_added(int bytes)
    {
        var bench = new Bench();
        var add = new ReplicaRequest.Add(At, "m", new MessageId(1), new byte[bytes]);
        Assert.IsType<ReplicaReply.Full>(bench.Ask(0, add));
    }

    [Fact]
    public void An_acknowledged_message_is_never_added_again_even_if_the_acknowledgement_came_first()
    {
        Assert.Equal(new ReplicaReply.Added(1), Ask(new ReplicaRequest.Add(At, "m", new MessageId(1), Bytes("a"))));
        Assert.Equal(new ReplicaReply.Added(1), Ask(new ReplicaRequest.Add(At, "m", new MessageId(1), Bytes("a"))));
        Ask(new ReplicaRequest.Acknowledge(At, "m", [new MessageId(1), new MessageId(2)]));
        Assert.IsType<ReplicaReply.Buried>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(1), Bytes("a"))));
        Assert.IsType<ReplicaReply.Buried>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(2), Bytes("b"))));
        Assert.Empty(Assert.IsType<ReplicaReply.Scanned>(Ask(new ReplicaRequest.Scan(At, "m", 0, 9))).Messages);
    }

    [Fact]
    public void A_full_set_refuses_what_is_new_until_something_is_acknowledged()
    {
        Ask(new ReplicaRequest.Add(At, "m", new MessageId(1), Bytes("a")));
        Ask(new ReplicaRequest.Add(At, "m", new MessageId(2), Bytes("b")));
        Assert.IsType<ReplicaReply.Full>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(3), Bytes("c"))));
        Assert.IsType<ReplicaReply.Added>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(1), Bytes("a"))));
        Assert.IsType<ReplicaReply.Added>(Ask(new ReplicaRequest.Add(At, "other", new MessageId(3), Bytes("c"))));
        Ask(new ReplicaRequest.Acknowledge(At, "m", [new MessageId(1)]));
        Assert.IsType<ReplicaReply.Full>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(4), new byte[1000])));
        Assert.IsType<ReplicaReply.Added>(Ask(new ReplicaRequest.Add(At, "m", new MessageId(3), Bytes("c"))));
    }

    /// <summary>docs/protocol.md#tombstone-limit.</summary>
    [Fact]
    public void A_set_with_too_many_tombstones_takes_nothing_new_until_some_are_forgotten()
    {
        var bench = new Bench(new SetLimits(CountMax: 10, BytesMax: 1000, TombstoneCountMax: 2));
        var late = (long)TimeSpan.FromDays(15).TotalMilliseconds;
        foreach (var id in new uint[] { 1, 2 })
        {
            Assert.IsType<ReplicaReply.Added>(Handle(Add(id)));
            Handle(new ReplicaRequest.Acknowledge(bench.Now.At, "m", [new MessageId(id)]));
        }

        Assert.IsType<ReplicaReply.Full>(Handle(Add(3)));
        Assert.IsType<ReplicaReply.Buried>(Handle(Add(1)));
        Handle(new ReplicaRequest.Acknowledge(bench.Now.At, "m", [new MessageId(4)])); // Never refused.
        Assert.IsType<ReplicaReply.Buried>(Handle(Add(4)));
        Handle(new ReplicaRequest.Forget(bench.Now.At, "m", [new MessageId(1)]), late);
        Assert.IsType<ReplicaReply.Full>(Handle(Add(3)));
        Handle(new ReplicaRequest.Forget(bench.Now.At, "m", [new MessageId(2)]), late);
        Assert.IsType<ReplicaReply.Added>(Handle(Add(3)));

        ReplicaRequest.Add Add(uint id) => new(bench.Now.At, "m", new MessageId(id), Bytes("a"));

        ReplicaReply Handle(ReplicaRequest request, long nowMs = 0) =>
            bench.Replicas[0].Handle(request, bench.Replicas[0].Self, nowMs);
    }

    [Fact]
    public void A_scan_goes_on_after_its_cursor()
    {
        var bench = new Bench();
        for (var id = 9u; id >= 1; id--)
            bench.Ask(0, new ReplicaRequest.Add(At, "m", new MessageId(id), Bytes("a")));
        var seen = new List<uint>();
        ReplicaReply.Scanned page;
        var after = 0L;
        do
        {
            page = Assert.IsType<ReplicaReply.Scanned>(bench.Ask(0, new ReplicaRequest.Scan(At, "m", after, 4)));
            seen.AddRange(page.Messages.Select(message => (uint)message.Id.Value));
            after = page.Next;
        }
        while (page.More);
        Assert.Equal([9, 8, 7, 6, 5, 4, 3, 2, 1], seen);
    }

    [Fact]
    public void Only_the_replicas_own_epoch_is_executed_and_every_refusal_says_why()
    {
        ReplicaReply Peek(int node, TileEpoch at) => _bench.Ask(node, new ReplicaRequest.Peek(at, "k"));
        var later = At with { Epoch = 2 };
        Assert.IsType<ReplicaReply.Peeked>(Peek(0, At));
        Assert.IsType<ReplicaReply.Behind>(Peek(0, later));
        Assert.IsType<ReplicaReply.WrongTile>(Peek(4, At));
        Assert.IsType<ReplicaReply.WrongTile>(Peek(0, At with { Tile = new TileId(7, 1) }));
        Ask(new ReplicaRequest.Seal(At, _bench.Ballots.Next(1, default)));
        Assert.IsType<ReplicaReply.Sealed>(Peek(0, At));
        var next = _bench.Now.Next(_bench.Ids[1..4]);
        Ask(new ReplicaRequest.NewConfiguration(next, _bench.Now));
        Assert.Equal(new ReplicaReply.Stale(next, _bench.Now), Peek(0, At));
        Assert.IsType<ReplicaReply.Behind>(Peek(0, later));
    }

    [Fact]
    public void What_only_the_node_itself_may_ask_is_refused_to_others() =>
        Assert.Throws<ArgumentException>(() =>
            _bench.Replicas[0].Handle(new ReplicaRequest.Activate(At), _bench.Ids[1], 0));

    [Fact]
    public void A_restarted_replica_keeps_its_promise_and_its_seal()
    {
        var ballot = _bench.Ballots.Next(1, default);
        Ask(new ReplicaRequest.Seal(At, ballot));
        var again = new Replica(_bench.Ids[0], _bench.Stores[0]);
        again.Found([_bench.Now]);
        Assert.Equal(TilePhase.Sealed, again.Header(Tile)!.Phase);
        var reply = again.Handle(new ReplicaRequest.Seal(At, ballot), _bench.Ids[1], 0);
        Assert.Equal(new ReplicaReply.Nack(ballot), reply);
    }

    [Fact]
    public void A_transfer_in_small_pages_brings_every_row_once()
    {
        var bench = new Bench();
        for (var i = 0u; i < 20; i++)
        {
            bench.Ask(0, new ReplicaRequest.Accept(At, $"k{i}", bench.Ballots.Next(1, default), Bytes($"v{i}")));
            bench.Ask(0, new ReplicaRequest.Add(At, $"m{i % 3}", new MessageId(i), Bytes("a")));
        }

        bench.Ask(0, new ReplicaRequest.Prepare(At, "only promised", bench.Ballots.Next(1, default)));
        bench.Ask(0, new ReplicaRequest.Acknowledge(At, "m0", [new MessageId(3)]));
        var rows = new List<object>();
        TileCursor? cursor = default(TileCursor);
        for (; cursor is { } after;)
        {
            var reply = Assert.IsType<ReplicaReply.Pulled>(bench.Ask(0, new ReplicaRequest.Pull(At, after, 1)));
            rows.AddRange(reply.Page.Registers.Select(register => (object)register.Key));
            rows.AddRange(reply.Page.Entries.Select(entry => (object)(entry.Set, entry.Id, entry.Content is null)));
            cursor = reply.Page.Next;
        }

        Assert.Equal(40, rows.Count);
        Assert.Equal(40, rows.Distinct().Count());
        Assert.Contains(("m0", new MessageId(3), true), rows);
    }

    private ReplicaReply Ask(ReplicaRequest request) => _bench.Ask(0, request);
}
