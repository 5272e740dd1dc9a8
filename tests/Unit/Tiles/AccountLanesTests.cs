using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/security.md, "What a call may cost": accounts are read one after the other, and hold up no
/// mail.</summary>
public sealed class AccountLanesTests
{
    private static readonly NodeId Node = new(0, 1);

    private readonly ManualTime _time = new();
    private readonly AccountLanes _lanes;
    private readonly Queue<Action> _ends = new();
    private int _begun;
    private int _dropped;

    public AccountLanesTests() => _lanes = new(_time);

    [Fact]
    public void Of_one_node_so_many_are_asked_for_at_once_and_of_each_other_one_as_well()
    {
        for (var i = 0; i < 3 * AccountLanes.AtOnceMax; i++)
            Assert.True(_lanes.TryEnter(Node, Begin, Drop));
        Assert.Equal(AccountLanes.AtOnceMax, _begun);
        _lanes.TryEnter(new NodeId(0, 2), Begin, Drop);
        Assert.Equal(AccountLanes.AtOnceMax + 1, _begun);
        var first = _ends.Dequeue();
        first();
        first(); // Only once.
        Assert.Equal(AccountLanes.AtOnceMax + 2, _begun);
    }

    [Fact]
    public void The_line_has_an_end()
    {
        for (var i = 0; i < AccountLanes.AtOnceMax + AccountLanes.WaitingMax; i++)
            Assert.True(_lanes.TryEnter(Node, Begin, Drop));
        Assert.False(_lanes.TryEnter(Node, Begin, Drop));
    }

    /// <summary>While a node is down each request ends before it has begun.</summary>
    [Fact]
    public void Those_that_end_at_once_do_not_pile_up_on_the_stack()
    {
        var (held, ended) = (new Queue<Action>(), 0);
        for (var i = 0; i < AccountLanes.AtOnceMax; i++)
            _lanes.TryEnter(Node, held.Enqueue, Drop);
        for (var i = 0; i < AccountLanes.WaitingMax; i++)
            _lanes.TryEnter(Node, end =>
            {
                Span<byte> frame = stackalloc byte[4_096];
                frame.Fill(1);
                ended += frame[^1];
                end();
            }, Drop);
        held.Dequeue()();
        Assert.Equal(AccountLanes.WaitingMax, ended);
    }

    [Fact]
    public void What_is_never_answered_keeps_its_turn_for_so_long()
    {
        for (var i = 0; i < AccountLanes.AtOnceMax; i++)
            _lanes.TryEnter(Node, Begin, Drop);
        _time.Now += AccountLanes.Patience + TimeSpan.FromMilliseconds(1);
        _lanes.TryEnter(Node, Begin, Drop);
        Assert.Equal(AccountLanes.AtOnceMax + 1, _begun);
    }

    /// <summary>Their callers have asked anew meanwhile; so a node that was slow for a while would only be asked what
    /// nobody waits for.</summary>
    [Fact]
    public void Who_has_waited_for_a_round_is_not_sent_any_more()
    {
        for (var i = 0; i < AccountLanes.AtOnceMax + 100; i++)
            _lanes.TryEnter(Node, Begin, Drop);
        _time.Now += AccountLanes.WaitMax + TimeSpan.FromMilliseconds(1);
        _lanes.TryEnter(Node, Begin, Drop);
        Assert.Equal(0, _dropped);
        _ends.Dequeue()();
        Assert.Equal((AccountLanes.AtOnceMax + 1, 100), (_begun, _dropped));
    }

    [Fact]
    public void Only_accounts_wait()
    {
        var at = new TileEpoch(new(7, 0), 0, 1);
        Assert.True(AccountLanes.IsFor(new ReplicaRequest.Peek(at, "acct/anna")));
        Assert.True(AccountLanes.IsFor(new ReplicaRequest.Prepare(at, "acct/anna", default)));
        Assert.False(AccountLanes.IsFor(new ReplicaRequest.Peek(at, "sess/anna")));
        Assert.False(AccountLanes.IsFor(new ReplicaRequest.Scan(at, "mbox/anna", 0, 1)));
    }

    private void Drop() => _dropped++;

    private void Begin(Action end)
    {
        _begun++;
        _ends.Enqueue(end);
    }
}
