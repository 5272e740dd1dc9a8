using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Tests.Cluster.Sdk;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md, "Without a quorum": a node that reaches no majority of any tile, and its
/// clients.</summary>
public sealed class CutTests : IAsyncLifetime
{
    private static readonly TimeSpan Flush = TimeSpan.FromSeconds(60);

    private NodeCluster _cluster = null!;
    private Person _alice = null!;
    private Person _bob = null!;
    private Person _carol = null!;

    public async Task InitializeAsync()
    {
        _cluster = await NodeCluster.StartAsync(3);
        var n1 = Person.Search(_cluster.AddressOf("n1"));
        _carol = await Person.RegisterAsync("carol", n1);
        _alice = await (await Person.RegisterAsync("alice", n1)).OnlineAsync();
        _bob = await (await Person.RegisterAsync("bob", n1)).OnlineAsync();
        _alice.Client.Send("bob", "before");
        await Task.WhenAll(_bob.ReadAsync(1), _alice.Client.FlushAsync(Flush));
        await _alice.Client.People.SafetyNumberAsync("carol"); // Keys of somebody new are shown by a majority only.
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
        await _carol.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_minority_chats_live_says_that_nothing_is_kept_and_keeps_it_all_once_healed()
    {
        await CutAsync();

        var live = Enumerable.Range(0, 20).Select(i => _alice.Client.Send("bob", $"live {i}")).ToList();
        var waiting = _alice.Client.Send("carol", "for later");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"live {i}"), await _bob.ReadAsync(20));
        _bob.Client.Send("alice", "I hear you");
        Assert.Equal(["I hear you"], await _alice.ReadAsync(1));
        foreach (var id in live)
            Assert.Equal(MessageState.Delivered, (await _alice.WaitAsync(id, MessageState.Delivered)).State);
        var queued = await _alice.Client.History.WaitAsync(waiting, message => message.Copies.Count > 0, Flush);
        Assert.Equal((MessageState.Queued, 3), (queued.State, queued.Of));
        Assert.Equal(["n1"], queued.Copies);

        await HealAsync();
        Assert.Equal(
            MessageState.Kept, (await _alice.Client.History.WaitAsync(waiting, MessageState.Kept, Flush)).State);
        Assert.True(await _alice.Client.FlushAsync(Flush), "alice's outbox is not empty after 60 s");
        Assert.True(await _bob.Client.FlushAsync(Flush), "bob's outbox is not empty after 60 s");
        await _carol.OnlineAsync();
        Assert.Equal(["for later"], await _carol.ReadAsync(1));
        Assert.Equal(Texts(_alice, "bob"), Texts(_bob, "alice"));
        Assert.Equal(22, Texts(_alice, "bob").Count);
    }

    [Fact]
    public async Task A_minority_changes_nothing_and_lets_in_who_has_keys_already()
    {
        await CutAsync();
        var n1 = Person.Search(_cluster.AddressOf("n1"));

        var register = await Assert.ThrowsAsync<ChordChatException>(() => Person.RegisterAsync("dave", n1));
        Assert.Equal("unavailable", register.Code);
        var elsewhere = await Assert.ThrowsAsync<ChordChatException>(
            () => Person.LogInAsync("alice", Person.NewFolder(), n1));
        Assert.Equal("unavailable", elsewhere.Code);
        _carol.Client.Start();
        Assert.True((await _carol.SeeAsync<ClientEvent.Connected>()).Degraded);
        _alice.Client.Send("bob", "still here"); // The sessions of before are what they were.
        Assert.Equal(["still here"], await _bob.ReadAsync(1));

        await HealAsync();
        await using var dave = await Person.RegisterAsync("dave", n1); // With keys of its own: nothing was left behind.
        await dave.OnlineAsync();
        var id = dave.Client.Send("alice", "new here");
        Assert.Equal(["new here"], await _alice.ReadAsync(1));
        Assert.Equal(MessageState.Delivered, (await dave.WaitAsync(id, MessageState.Delivered)).State);
    }

    private async Task CutAsync()
    {
        await _cluster.StopAsync("n2");
        await _cluster.StopAsync("n3");
    }

    private async Task HealAsync()
    {
        await _cluster.StartAsync("n2");
        await _cluster.StartAsync("n3");
        await _cluster.SettleAsync();
    }

    /// <summary>What was said with somebody, by sender and text.</summary>
    private static List<string> Texts(Person person, string peer) =>
        [.. person.Client.History.With(peer).Select(message => $"{message.From}: {message.Text}").Order()];
}
