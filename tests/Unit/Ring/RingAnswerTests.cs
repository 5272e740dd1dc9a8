using System.Collections.Immutable;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-successor-lists: what one that lies can answer when it is asked for its ring
/// state.</summary>
public class RingAnswerTests
{
    private static readonly Peer Self = Peers.At(100);
    private static readonly Peer Liar = Peers.At(110);
    private static readonly ImmutableArray<Peer> Others =
        Peers.All(10, 20, 30, 40, 50, 60, 70, 80, 110, 120, 130, 140, 150, 160);

    private RingState _state = Peers.Member(100, 80, 110);

    [Fact]
    public void An_entry_stands_where_the_cache_knows_it_whatever_an_answer_says()
    {
        Know(Others);
        Answer(120, At(140, 130), At(130, 140));
        AssertSuccessors(110, 120, 140);
        AssertInPlace();
        Know(Others);
        AssertSuccessors(110, 120, 140);
    }

    [Fact]
    public void A_member_that_the_cache_comes_to_know_elsewhere_moves_there_and_the_list_stays_in_order()
    {
        Know([Liar, .. Peers.All(10, 20, 30)], count: 15);
        Answer(At(140, 120), At(120, 130));
        AssertSuccessors(110, 140, 120);
        var before = _state.Version;
        Know(Others);
        AssertSuccessors(110, 120, 140);
        AssertInPlace();
        Assert.True(_state.Version > before); // What was about to be learned for the old list is void.
    }

    [Fact]
    public void A_predecessor_that_the_cache_knows_elsewhere_stands_there()
    {
        Know(Others);
        _state = _state with { Predecessor = At(40, 99) };
        Know(Others);
        Assert.Equal(new RingId(40), _state.Predecessor!.Position);
    }

    [Fact]
    public void Nobody_comes_twice_or_to_this_nodes_own_place()
    {
        Know([Liar], count: 15);
        Answer(At(140, 120), At(140, 130), At(150, 140));
        AssertSuccessors(110, 140);
        Answer(At(140, 100), At(150, 120));
        AssertSuccessors(110, 150);
        Answer(At(110, 120));
        Assert.Single(_state.Successors, Liar);
    }

    [Theory]
    [InlineData(true, new[] { 100, 100 })]
    [InlineData(true, new[] { 100, 100, 120 })]
    [InlineData(false, new[] { 100, 100 })]
    [InlineData(false, new[] { 100, 110 })]
    public void Who_looks_for_its_place_enters_behind_whoever_answers_nonsense(bool isJoining, int[] list)
    {
        if (isJoining)
            _state = RingState.Starting(Self, _state.Options);
        Know([Liar], count: 15);
        Feed(isJoining ? new RingInput.StabilizeDue() : new RingInput.AuditFailed());
        Feed(new RingInput.Answered(_state.Pending!.Nonce, new(true, null, Peers.All(list))));
        Assert.Equal((RingPhase.Member, Liar), (_state.Phase, _state.Predecessor));
        AssertSuccessors(110);
    }

    /// <summary>docs/security.md: one node that lies does not drive another one out of the ring.</summary>
    [Fact]
    public void Who_gave_a_list_on_which_nobody_answers_does_not_say_again_where_the_place_is()
    {
        _state = RingState.Starting(Self, _state.Options);
        Know(Others);
        Feed(new RingInput.StabilizeDue());
        Assert.Equal(Peers.At(80), _state.Pending!.Target);
        Feed(new RingInput.Answered(_state.Pending.Nonce, new(true, null, Peers.All(101, 102, 103))));
        AssertSuccessors(101, 102, 103);
        while (_state.Phase is RingPhase.Member)
            Feed(new RingInput.AskTimedOut(_state.Pending!.Nonce));
        Feed(new RingInput.StabilizeDue());
        Assert.Equal(Peers.At(70), _state.Pending!.Target);
        Feed(new RingInput.Answered(_state.Pending.Nonce, new(true, null, Peers.All(80, 110, 120))));
        AssertSuccessors(110, 120);
        Feed(new RingInput.Answered(_state.Pending!.Nonce, new(true, null, Peers.All(120, 130, 140))));
        AssertSuccessors(110, 120, 130);
        Feed(new RingInput.AuditFailed());
        Assert.Equal(Peers.At(70), _state.Pending!.Target);
    }

    [Fact]
    public void Nobody_is_asked_for_the_place_of_this_node_who_stands_there_as_others_say()
    {
        _state = RingState.Starting(Self, _state.Options);
        Know([Liar], count: 15);
        Feed(new RingInput.StabilizeDue());
        Feed(new RingInput.Answered(_state.Pending!.Nonce, new(true, At(140, 100), [At(130, 100)])));
        Assert.Null(_state.Pending);
        Assert.Equal(RingPhase.Joining, _state.Phase);
    }

    /// <summary>docs/protocol.md#ring-gossip: one that lies can make others ask too often.</summary>
    [Fact]
    public void A_successor_that_has_too_many_calls_of_this_node_stays_its_successor()
    {
        var before = _state.Successors;
        Feed(new RingInput.StabilizeDue());
        while (_state.Pending is { } asked)
            Feed(new RingInput.AskRefused(asked.Nonce));
        Assert.Equal((RingPhase.Member, before), (_state.Phase, _state.Successors));
    }

    [Fact]
    public void A_notifier_at_this_nodes_own_place_is_nobody()
    {
        _state = Peers.Member(100, null);
        Know([], count: 15);
        Feed(new RingInput.Notified(At(140, 100)));
        Assert.Null(_state.Predecessor);
        Assert.Empty(_state.Successors);
    }

    /// <summary>A member as an answer may name it: at whatever position.</summary>
    private static Peer At(int member, int position) =>
        Peers.At((UInt128)member) with { Position = new RingId((UInt128)position) };

    private void Answer(params Peer[] successors)
    {
        Feed(new RingInput.StabilizeDue());
        if (_state.Pending is { Kind: AskKind.Closer } other)
        {
            Feed(new RingInput.AskTimedOut(other.Nonce));
            Feed(new RingInput.StabilizeDue());
        }

        Feed(new RingInput.Answered(_state.Pending!.Nonce, new(true, Self, [.. successors])));
    }

    private void Answer(int first, params Peer[] others) => Answer([Peers.At((UInt128)first), .. others]);

    private void Know(ImmutableArray<Peer> live, int? count = null) =>
        Feed(new RingInput.MembersKnown(live, count ?? live.Length + 1, []));

    private void Feed(RingInput input) => (_state, _) = RingProtocol.Step(_state, input);

    private void AssertSuccessors(params int[] members) =>
        Assert.Equal(Peers.All(members).Select(peer => peer.Name), _state.Successors.Select(peer => peer.Name));

    private void AssertInPlace() =>
        Assert.All(_state.Successors, peer => Assert.Equal(Others.Single(peer.Equals).Position, peer.Position));
}
