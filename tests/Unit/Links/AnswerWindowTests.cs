using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/operations.md, "Limits": answers that another node has not taken.</summary>
public sealed class AnswerWindowTests
{
    private static readonly Call Scan = new() { Scan = new() };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AnswerWindow _window = new(LinkService.UnansweredMax, LinkService.AnswerBytesMax);

    [Fact]
    public async Task Large_answers_that_nobody_takes_hold_up_the_next_call()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
        {
            _window.Took(AnswerWindow.RoomFor(Scan));
            _window.Answered(AnswerWindow.RoomFor(Scan), 1 << 20);
        }

        Assert.Equal(16, taken);
        var next = _window.WaitAsync(default).AsTask();
        Assert.False(next.IsCompleted);
        _window.Gave(1, 1 << 20);
        await next.WaitAsync(Patience);
    }

    [Fact]
    public void Calls_whose_answers_may_be_large_are_not_all_read_at_once()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
            _window.Took(AnswerWindow.RoomFor(Scan));
        Assert.Equal(64, taken);
        _window.Answered(AnswerWindow.RoomFor(Scan), 10);
        Assert.True(IsOpen());
    }

    /// <summary>docs/security.md: an account has two keyrings of up to 640 KiB each.</summary>
    [Theory]
    [InlineData("acct/anna", 12, 14)]
    [InlineData("sess/anna", 256, 256)]
    public void Room_is_kept_for_the_largest_register_of_its_kind(string key, int takenMin, int takenMax)
    {
        Call[] calls = [new() { Peek = new() { Key = key } }, new() { Prepare = new() { Key = key } }];
        foreach (var call in calls)
        {
            var window = new AnswerWindow(LinkService.UnansweredMax, LinkService.AnswerBytesMax);
            var taken = 0;
            for (; window.WaitAsync(default).AsTask().IsCompleted; taken++)
                window.Took(AnswerWindow.RoomFor(call));
            Assert.InRange(taken, takenMin, takenMax);
        }
    }

    [Fact]
    public async Task Small_calls_are_counted()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
            _window.Took(AnswerWindow.RoomFor(new() { Add = new() }));
        Assert.Equal(LinkService.UnansweredMax, taken);
        var next = _window.WaitAsync(default).AsTask();
        _window.Answered(AnswerWindow.RoomFor(new() { Add = new() }), 10);
        Assert.False(next.IsCompleted);
        _window.Gave(1, 10);
        await next.WaitAsync(Patience);
    }

    /// <summary>Calls wait for the disk with all that they bring; the peer is honest, and so is the next one.</summary>
    [Fact]
    public void Large_calls_are_counted_with_their_bytes_until_they_are_answered()
    {
        var content = ByteString.CopyFrom(new byte[1 << 20]);
        Call[] calls = [new() { Accept = new() { Value = content } }, new() { Add = new() { Content = content } }];
        foreach (var call in calls)
        {
            var window = new AnswerWindow(LinkService.UnansweredMax, LinkService.AnswerBytesMax);
            var taken = 0;
            for (; window.WaitAsync(default).AsTask().IsCompleted; taken++)
                window.Took(AnswerWindow.RoomFor(call));
            Assert.Equal(16, taken);
            window.Answered(AnswerWindow.RoomFor(call), 10);
            Assert.True(window.WaitAsync(default).AsTask().IsCompleted);
        }
    }

    [Fact]
    public void So_many_messages_are_buried_for_one_peer_at_once_and_so_many_in_one_call()
    {
        var taken = 0;
        for (; IsOpen(); taken++)
            _window.Took(AnswerWindow.RoomFor(Burial(SetAcknowledge.IdsMax)));
        Assert.InRange(taken * SetAcknowledge.IdsMax, 100_000, 150_000);
        Assert.NotNull(Burial(SetAcknowledge.IdsMax).ToReplicaRequest());
        Assert.Throws<MalformedException>(() => Burial(SetAcknowledge.IdsMax + 1).ToReplicaRequest());
    }

    [Fact]
    public void A_node_has_so_many_links_and_the_oldest_ends()
    {
        var links = new OpenLinks();
        var places = Enumerable.Range(0, OpenLinks.PerNodeMax).Select(_ => links.Enter(new(1, 1))).ToList();
        using var other = links.Enter(new(2, 2));
        places[1].Dispose();
        using var again = links.Enter(new(1, 1));
        Assert.DoesNotContain(places, place => place.Ended.IsCancellationRequested);
        using var newest = links.Enter(new(1, 1));
        Assert.Equal([true, false, false, false], places.Select(place => place.Ended.IsCancellationRequested));
        Assert.False(other.Ended.IsCancellationRequested);
        Assert.False(newest.Ended.IsCancellationRequested);
    }

    private static Call Burial(int count) => new ReplicaRequest.Acknowledge(
        default, "mbox/anna", [.. Enumerable.Range(1, count).Select(id => new MessageId((UInt128)id))]).ToWire();

    private bool IsOpen() => _window.WaitAsync(default).AsTask().IsCompleted;
}
