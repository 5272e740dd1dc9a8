using ChordChat.Sdk.Messages;
using ChordChat.Tests.Cluster.Sdk;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md, "Receipt": what a sender is told while nodes go and come.</summary>
public sealed class ReceiptTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private NodeCluster _cluster = null!;
    private Person _alice = null!;
    private Person _bob = null!;

    public async Task InitializeAsync()
    {
        _cluster = await NodeCluster.StartAsync(3);
        var n1 = Person.Search(_cluster.AddressOf("n1"));
        _bob = await Person.RegisterAsync("bob", n1);
        _alice = await (await Person.RegisterAsync("alice", n1)).OnlineAsync();
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_receipt_falls_when_nodes_go_and_rises_when_they_are_back()
    {
        var id = _alice.Client.Send("bob", "hello");
        await CopiesAsync(id, "n1", "n2", "n3");

        await _cluster.StopAsync("n2");
        await CopiesAsync(id, "n1", "n3");
        await _cluster.StopAsync("n3");
        await CopiesAsync(id, "n1");

        await _cluster.StartAsync("n3");
        await CopiesAsync(id, "n1", "n3");
        await _cluster.StartAsync("n2");
        await CopiesAsync(id, "n1", "n2", "n3");
    }

    [Fact]
    public async Task What_was_kept_twice_is_kept_three_times_once_the_third_node_is_back()
    {
        await _cluster.StopAsync("n3");
        var id = _alice.Client.Send("bob", "hello");
        await CopiesAsync(id, "n1", "n2");
        // Longer than the node repeats by itself.
        await Condition.UntilAsync("n1 holds n3 for gone", Patience, () => Task.FromResult(
            _cluster.MembersSeenBy("n1").Live.Length == 1));

        await _cluster.StartAsync("n3");
        await CopiesAsync(id, "n1", "n2", "n3");
    }

    /// <summary>It stays kept all the time; who has it is what changes.</summary>
    private async Task CopiesAsync(string id, params string[] names)
    {
        var message = await _alice.Client.History.WaitAsync(
            id, message => Answering(message).SequenceEqual(names), Patience);
        Assert.Equal(names, Answering(message));
        Assert.Equal((MessageState.Kept, 3, true), (message.State, message.Of, message.IsKeptByMajority));

        static IEnumerable<string> Answering(ChatMessage message) => (message.Reachable ?? message.Copies).Order();
    }
}
