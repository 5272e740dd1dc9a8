using ChordChat.Crypto.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Message contents.</summary>
public class MessageContentTests
{
    [Fact]
    public void Text_must_be_well_formed_and_not_empty()
    {
        Assert.Equal(new MessageContent.Text("hé"), MessageContent.TryRead(1, [0x68, 0xC3, 0xA9]));
        Assert.Null(MessageContent.TryRead(1, []));
        Assert.Null(MessageContent.TryRead(1, [0xC3]));
        Assert.Null(MessageContent.TryRead(1, new byte[MessageContent.BytesMax + 1]));
    }

    [Fact]
    public void A_receipt_has_a_known_kind_and_the_messages_it_counts()
    {
        var id = new byte[16];

        Assert.NotNull(MessageContent.TryRead(3, [1, 1, .. id]));
        Assert.Null(MessageContent.TryRead(3, [0, 1, .. id]));
        Assert.NotNull(MessageContent.TryRead(3, [3, 1, .. id]));
        Assert.Null(MessageContent.TryRead(3, [4, 1, .. id]));
        Assert.Null(MessageContent.TryRead(3, [1, 0]));
        Assert.Null(MessageContent.TryRead(3, [1, 2, .. id]));
        Assert.Null(MessageContent.TryRead(3, [1, 1, .. id, 0]));
    }

    [Fact]
    public void Kinds_to_come_are_kept_apart_from_kinds_that_are_none()
    {
        byte[] later = [2, 4, 5, 6, 7, 8], none = [0, 9, 255];

        Assert.All(later, type => Assert.IsType<MessageContent.Unsupported>(MessageContent.TryRead(type, [])));
        Assert.All(none, type => Assert.Null(MessageContent.TryRead(type, [])));
        Assert.Throws<ArgumentException>(() => MessageContent.TryRead(2, [])!.Write());
    }
}
