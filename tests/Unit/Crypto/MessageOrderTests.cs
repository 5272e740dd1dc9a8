using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Order: replay, gap and fork.</summary>
public class MessageOrderTests
{
    private static readonly Digest First = new(1, 1), Second = new(2, 2), Other = new(3, 3);

    [Fact]
    public void Messages_in_order_follow_each_other()
    {
        Assert.Equal(MessagePlace.InOrder, MessageOrder.PlaceOf(At(1, First, default), null, null));
        Assert.Equal(MessagePlace.InOrder, MessageOrder.PlaceOf(At(2, Second, First), null, First));
    }

    [Fact]
    public void A_replayed_message_is_a_duplicate() =>
        Assert.Equal(MessagePlace.Duplicate, MessageOrder.PlaceOf(At(2, Second, First), Second, First));

    [Fact]
    public void A_message_whose_predecessor_is_missing_shows_a_gap() =>
        Assert.Equal(MessagePlace.Gap, MessageOrder.PlaceOf(At(3, Other, Second), null, null));

    [Fact]
    public void Two_messages_in_one_place_or_another_past_are_a_fork()
    {
        Assert.Equal(MessagePlace.Fork, MessageOrder.PlaceOf(At(2, Other, First), Second, First));
        Assert.Equal(MessagePlace.Fork, MessageOrder.PlaceOf(At(2, Second, Other), null, First));
        Assert.Equal(MessagePlace.Fork, MessageOrder.PlaceOf(At(1, First, Other), null, null));
    }

    private static OpenedMessage At(ulong seq, Digest body, Digest previous) =>
        new(default, TestUsers.Hello() with { Seq = seq, PreviousBody = previous }, body)
        {
            IsOwn = false,
            IsFromReplacedDevice = false,
            IsWrongKeyForMe = false,
        };
}
