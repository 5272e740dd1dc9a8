using ChordChat.Core.Ring;
using ChordChat.Node.Ring;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-deny-list.</summary>
public sealed class DenyListDoubtsTests
{
    private static readonly DenyListClaim Claim = new(new NodeId(0, 1), "10.0.0.1:7401", 5);

    private readonly ManualTime _time = new();
    private readonly DenyListDoubts _doubts;

    public DenyListDoubtsTests() => _doubts = new(_time);

    [Fact]
    public void Who_claims_a_list_in_vain_is_not_asked_for_a_minute()
    {
        _doubts.Judge(Claim, DenyListFetch.Nothing, own: 4);
        Assert.False(_doubts.IsWorthAsking(Claim, own: 4));
        Assert.False(_doubts.IsWorthAsking(Claim with { Number = 9 }, own: 4));
        Assert.False(_doubts.IsWorthAsking(Claim with { Address = "10.0.0.2:7401" }, own: 4)); // The same node.
        Assert.True(_doubts.IsWorthAsking(Claim with { Node = new NodeId(0, 2) }, own: 4));
        _time.Now += DenyListDoubts.Distrust;
        Assert.True(_doubts.IsWorthAsking(Claim, own: 4));
    }

    [Fact]
    public void Who_tells_of_a_list_that_another_brought_first_is_believed_the_next_time()
    {
        Assert.False(_doubts.IsWorthAsking(Claim, own: 5)); // It is here: nothing to ask.
        _doubts.Judge(Claim, DenyListFetch.Nothing, own: 5); // It came while this one was asked.
        _doubts.Judge(Claim, DenyListFetch.List, own: 5); // The same list, from both.
        Assert.True(_doubts.IsWorthAsking(Claim with { Number = 6 }, own: 5));
    }

    [Fact]
    public void Who_claims_a_list_and_shows_an_older_one_is_not_asked_for_a_minute()
    {
        _doubts.Judge(Claim, DenyListFetch.List, own: 4);
        Assert.False(_doubts.IsWorthAsking(Claim, own: 4));
    }

    [Fact]
    public void Who_does_not_answer_is_asked_again_after_seconds()
    {
        _doubts.Judge(Claim, DenyListFetch.NoAnswer, own: 4);
        Assert.False(_doubts.IsWorthAsking(Claim, own: 4));
        _time.Now += DenyListDoubts.Pause;
        Assert.True(_doubts.IsWorthAsking(Claim, own: 4));
    }

    [Fact]
    public void Who_takes_this_node_for_nobody_and_has_no_list_is_doubted_whatever_the_number_here()
    {
        var nobody = new DenyListClaim(null, "10.0.0.1:7401", 0);
        Assert.True(_doubts.IsWorthAsking(nobody, own: 7));
        _doubts.Judge(nobody, DenyListFetch.Nothing, own: 7);
        Assert.False(_doubts.IsWorthAsking(nobody, own: 7));
    }
}
