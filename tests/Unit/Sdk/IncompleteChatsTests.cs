using ChordChat.Crypto;
using ChordChat.Sdk.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Order: what "all of the mailbox" means; docs/protocol.md#readings.</summary>
public class IncompleteChatsTests
{
    private readonly IncompleteChats _chats = new();

    [Fact]
    public void A_chat_is_whole_again_after_a_reading_that_was_asked_for_since()
    {
        _chats.Add(Chat(1));
        _chats.Read(6);
        _chats.Asked(7);
        _chats.Read(6); // It had begun before.
        Assert.True(_chats.Contains(Chat(1)));
        Assert.False(_chats.Contains(Chat(2)));
        _chats.Read(7);
        Assert.False(_chats.Contains(Chat(1)));
    }

    [Fact]
    public void What_is_added_while_a_reading_is_under_way_waits_for_the_next_one()
    {
        _chats.Add(Chat(1));
        _chats.Asked(1);
        _chats.Add(Chat(1));
        _chats.Read(1);
        Assert.True(_chats.Contains(Chat(1)));
    }

    [Fact]
    public void What_does_not_say_its_chat_and_what_is_too_much_stand_for_all_chats()
    {
        _chats.Add(null);
        Assert.True(_chats.Contains(Chat(1)));
        _chats.Asked(1);
        _chats.Read(1);
        for (var chat = 1; chat <= IncompleteChats.CountMax; chat++)
            _chats.Add(Chat(chat));
        Assert.False(_chats.Contains(Chat(IncompleteChats.CountMax + 1)));
        _chats.Add(Chat(IncompleteChats.CountMax + 1));
        Assert.True(_chats.Contains(Chat(IncompleteChats.CountMax + 2)));
    }

    private static Digest Chat(int number) => new(1, (UInt128)number);
}
