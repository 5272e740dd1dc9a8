using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/protocol.md, "Without a quorum": whose account does not answer delays nobody else.</summary>
public sealed class SilentAccountTests : IAsyncLifetime, IDisposable
{
    /// <summary>Fewer questions than one lookup asks before it ends in vain.</summary>
    private const int CallsOfOneLookupMax = 5;

    private readonly FakeCluster _cluster = new();
    private FakeNode _n1 = null!;
    private Person _alice = null!;
    private Person _bob = null!;

    public async Task InitializeAsync()
    {
        _n1 = await _cluster.AddNodeAsync("n1");
        _alice = await (await Person.RegisterAsync("alice", _n1)).OnlineAsync();
        _bob = await (await Person.RegisterAsync("bob", _n1)).OnlineAsync();
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
        await _n1.DisposeAsync();
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Messages_to_somebody_who_cannot_be_looked_up_hold_up_nobody_elses_and_go_out_later()
    {
        await using var carol = await Person.RegisterAsync("carol", _n1);
        _cluster.Silent["carol"] = true;
        var held = Enumerable.Range(1, 300).Select(i => _alice.Client.Send("carol", $"{i}")).ToList();
        _alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await _bob.ReadAsync(1));
        Assert.InRange(_cluster.KeyLogCalls.GetValueOrDefault("carol"), 0, CallsOfOneLookupMax);
        _cluster.Silent.Clear();
        foreach (var id in held)
            Assert.Equal(MessageState.Kept, (await _alice.WaitAsync(id, MessageState.Kept)).State);
        await carol.OnlineAsync();
        Assert.Equal(Enumerable.Range(1, 300).Select(i => $"{i}"), await carol.ReadAsync(300));
    }

    [Fact]
    public async Task A_message_of_somebody_who_cannot_be_looked_up_holds_up_nobody_elses_and_is_shown_later()
    {
        await using var carol = await (await Person.RegisterAsync("carol", _n1)).OnlineAsync();
        _cluster.Silent["carol"] = true;
        var held = carol.Client.Send("bob", "from carol");
        await carol.WaitAsync(held, MessageState.Kept);
        _alice.Client.Send("bob", "from alice");
        Assert.Equal(["from alice"], await _bob.ReadAsync(1));
        Assert.InRange(_cluster.KeyLogCalls.GetValueOrDefault("carol"), 1, CallsOfOneLookupMax);
        Assert.NotEqual(0, _cluster.Accounts["bob"].MailboxCount); // Not acknowledged unread.
        _cluster.Silent.Clear();
        Assert.Equal(["from carol"], await _bob.ReadAsync(1));
    }
}
