using ChordChat.Sdk.Messages;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving: Blocked.</summary>
public sealed class BlockedSenderTests : IAsyncLifetime, IDisposable
{
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
    public async Task Mail_of_a_blocked_sender_that_comes_all_the_same_is_acknowledged_and_not_shown()
    {
        _bob.Client.Circle.Block("alice");
        await _alice.WaitAsync(_alice.Client.Send("bob", "blocked"), MessageState.Kept);
        await UntilAsync(_bob, () => _cluster.Accounts["bob"].MailboxCount == 0);
        Assert.Empty(_bob.Client.History.Unread());
        _bob.Client.Circle.Unblock("alice");
        _alice.Client.Send("bob", "welcome again");
        Assert.Equal(["welcome again"], await _bob.ReadAsync(1));
    }

    [Fact]
    public async Task A_new_device_knows_whom_its_user_has_blocked_and_whom_they_wrote_to_is_told_once()
    {
        _bob.Client.Circle.Block("mallory");
        _bob.Client.Send("alice", "hello");
        await UntilAsync(_bob, () => _bob.Client.Circle.IsTold
            && _cluster.Accounts["bob"].Change(new CircleChange()).WrittenTo.Contains("alice"));
        await _bob.DisposeAsync();
        await using var next = await (await Person.LogInAsync("bob", Person.NewFolder(), _n1)).OnlineAsync();
        await UntilAsync(next, () => next.Client.Circle.Blocked.SequenceEqual(["mallory"]));
    }

    private static async Task UntilAsync(Person person, Func<bool> condition)
    {
        var until = Environment.TickCount64 + (long)Person.Patience.TotalMilliseconds;
        while (true)
        {
            var next = person.Client.History.NextChange;
            if (condition())
                return;
            Assert.True(Environment.TickCount64 < until, "it did not come about");
            await Task.WhenAny(next, Task.Delay(100));
        }
    }
}
