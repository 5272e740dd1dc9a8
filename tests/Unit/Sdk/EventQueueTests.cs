using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class EventQueueTests
{
    private static readonly ClientEvent Some = new ClientEvent.Arrived(new ChatMessage(
        "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, MessageState.Delivered, [], 0, 0, ""));

    private readonly EventQueue _events = new();

    [Fact]
    public void A_reader_that_comes_too_late_for_some_is_told_so_and_misses_nothing_after_that()
    {
        AddMessages(EventQueue.MessagesMax + 100);
        _events.Add(new ClientEvent.CaughtUp());
        Assert.Equal(EventQueue.MessagesMax, ReadWhile<ClientEvent.Arrived>());
        Assert.IsType<ClientEvent.LeftOut>(Read());
        AddMessages(1);
        Assert.IsType<ClientEvent.CaughtUp>(Read());
        Assert.IsType<ClientEvent.Arrived>(Read());
        Assert.Null(Read());
    }

    [Fact]
    public void A_reader_that_never_reads_costs_a_bounded_amount_and_still_finds_the_end()
    {
        for (var i = 0; i < 3 * EventQueue.AllMax; i++)
            _events.Add(new ClientEvent.Disconnected("n1", "gone"));
        _events.Add(new ClientEvent.Ended(new ChordChatException("taken_over", "", "")));
        Assert.InRange(_events.Count, EventQueue.AllMax, EventQueue.AllMax + 2);
        Assert.Equal(EventQueue.AllMax, ReadWhile<ClientEvent.Disconnected>());
        Assert.IsType<ClientEvent.LeftOut>(Read());
        Assert.IsType<ClientEvent.Ended>(Read());
    }

    private void AddMessages(int count)
    {
        for (var i = 0; i < count; i++)
            _events.Add(Some);
    }

    private int ReadWhile<T>()
    {
        var count = 0;
        while (_events.TryPeek(out var next) && next is T)
        {
            Read();
            count++;
        }

        return count;
    }

    private ClientEvent? Read() => _events.TryRead(out var what) ? what : null;
}
