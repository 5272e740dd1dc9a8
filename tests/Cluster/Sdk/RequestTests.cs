using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving: Requests.</summary>
public sealed class RequestTests : AliceAndBob
{
    [Fact]
    public async Task A_strangers_message_waits_apart_and_its_sender_learns_nothing_until_it_is_accepted()
    {
        Bob.Client.Circle.RequestsWait = true;
        var id = Alice.Client.Send("bob", "hello");
        await AskedAsync(Bob, 1);
        await Condition.UntilAsync(
            "it is acknowledged", Person.Patience,
            () => Task.FromResult(Cluster.Accounts["bob"].MailboxCount == 0));
        Assert.Empty(Bob.Client.History.Unread());
        Assert.Empty(Bob.Client.History.Chats());
        Assert.True((await Bob.SeeAsync<ClientEvent.Arrived>()).Message.IsRequest);
        Assert.True(await Bob.Client.FlushAsync(Person.Patience)); // Whatever receipts are due.
        Assert.Equal(MessageState.Kept, (await Alice.WaitAsync(id, MessageState.Kept)).State);

        Bob.Client.Circle.Accept("alice");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        Assert.Equal(MessageState.Delivered, (await Alice.WaitAsync(id, MessageState.Delivered)).State);
        Alice.Client.Send("bob", "again");
        Assert.Equal(["again"], await Bob.ReadAsync(1));
        Assert.Empty(Bob.Client.History.Requests());
    }

    [Fact]
    public async Task To_write_to_somebody_is_to_accept_them()
    {
        Bob.Client.Circle.RequestsWait = true;
        var id = Alice.Client.Send("bob", "hello");
        await AskedAsync(Bob, 1);
        Bob.Client.Send("alice", "hello back");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        await Alice.WaitAsync(id, MessageState.Delivered);
    }

    [Fact]
    public async Task To_block_somebody_ends_their_request()
    {
        Bob.Client.Circle.RequestsWait = true;
        Alice.Client.Send("bob", "hello");
        await AskedAsync(Bob, 1);
        Assert.Equal("hello", Assert.Single(Bob.Client.History.Requests()).First.Text);
        Bob.Client.Circle.Block("alice");
        Assert.Empty(Bob.Client.History.Requests());
        Assert.Empty(Bob.Client.History.Unread(withRequests: true));
        Assert.Equal("is_blocked", Assert.Throws<ChordChatException>(() => Bob.Client.Circle.Accept("alice")).Code);
    }

    [Fact]
    public async Task Who_wants_everything_at_once_gets_what_waited_too()
    {
        Bob.Client.Circle.RequestsWait = true;
        var id = Alice.Client.Send("bob", "hello");
        await AskedAsync(Bob, 1);
        Bob.Client.Circle.RequestsWait = false;
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        await Alice.WaitAsync(id, MessageState.Delivered);
    }

    /// <summary>And loses nothing of what is more than a stranger may send.</summary>
    [Fact]
    public async Task A_new_device_takes_nobody_for_a_stranger_to_whom_the_one_before_it_wrote()
    {
        Bob.Client.Send("alice", "hello");
        await Alice.ReadAsync(1);
        await Condition.UntilAsync(
            "bob's node knows whom he wrote to", Person.Patience, () => Task.FromResult(Bob.Client.Circle.IsTold));
        await Bob.DisposeAsync();
        var texts = Enumerable.Range(1, RequestTable.PerSenderMax + 10).Select(i => $"{i}").ToList();
        foreach (var text in texts)
            Alice.Client.Send("bob", text);
        Assert.True(await Alice.Client.FlushAsync(Person.Patience));
        await using var second = await Person.LogInAsync("bob", Person.NewFolder(), N1);
        second.Client.Circle.RequestsWait = true;
        Cluster.KnowsCircles = false;
        await second.OnlineAsync();
        await Condition.UntilAsync(
            "all is here", Person.Patience,
            () => Task.FromResult(second.Client.History.Requests() is [var one] && one.Count == texts.Count));
        Assert.False(second.Client.Circle.IsKnown);
        Cluster.KnowsCircles = true;
        Assert.Equal(texts, await second.ReadAsync(texts.Count));
        Assert.All(second.Client.History.With("alice"), message => Assert.Equal(0, message.MissingBefore));
    }

    private static Task AskedAsync(Person person, int count) => Condition.UntilAsync(
        "requests wait", Person.Patience, () => Task.FromResult(person.Client.History.Requests().Count == count
            && person.Client.Circle.IsKnown));
}
