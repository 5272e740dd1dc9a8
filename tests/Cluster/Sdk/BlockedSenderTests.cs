using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving: Blocked.</summary>
public sealed class BlockedSenderTests : AliceAndBob
{
    [Fact]
    public async Task Mail_of_a_blocked_sender_that_comes_all_the_same_is_acknowledged_and_not_shown()
    {
        Bob.Client.Circle.Block("alice");
        await Alice.WaitAsync(Alice.Client.Send("bob", "blocked"), MessageState.Kept);
        await UntilAsync(Bob, () => Cluster.Accounts["bob"].MailboxCount == 0);
        Assert.Empty(Bob.Client.History.Unread());
        Bob.Client.Circle.Unblock("alice");
        Alice.Client.Send("bob", "welcome again");
        Assert.Equal(["welcome again"], await Bob.ReadAsync(1));
    }

    /// <summary>README.md: `/block` hides what they write at once.</summary>
    [Fact]
    public async Task What_was_held_back_when_its_sender_was_blocked_is_not_announced_when_its_gap_is_given_up()
    {
        await using var carol = await (await Person.RegisterAsync("carol", N1)).OnlineAsync();
        await LoseSecondOfAliceAsync();
        Alice.Client.Send("bob", "3");
        await UntilAsync(Bob, () => Bob.HeldCount == 1);
        Bob.Client.Circle.Block("alice");
        await UntilAsync(Bob, () => Bob.HeldCount == 0);
        carol.Client.Send("bob", "from carol");
        var shown = await Bob.SeeAsync<ClientEvent.Arrived>(arrived => arrived.Message.Text != "1");
        Assert.Equal("from carol", shown.Message.Text);
        Assert.DoesNotContain(Bob.Client.History.Unread(), message => message.From == "alice");
    }

    [Fact]
    public async Task A_new_device_knows_whom_its_user_has_blocked_and_whom_they_wrote_to_is_told_once()
    {
        Bob.Client.Circle.Block("mallory");
        Bob.Client.Send("alice", "hello");
        await UntilAsync(Bob, () => Bob.Client.Circle.IsTold
            && Cluster.Accounts["bob"].Change(new CircleChange()).WrittenTo.Contains("alice"));
        await Bob.DisposeAsync();
        await using var next = await (await Person.LogInAsync("bob", Person.NewFolder(), N1)).OnlineAsync();
        await UntilAsync(next, () => next.Client.Circle.Blocked.SequenceEqual(["mallory"]));
    }

    /// <summary>docs/protocol.md, Circle.</summary>
    [Fact]
    public async Task What_nodes_have_lost_of_the_blocked_is_told_again_and_stays_blocked_here()
    {
        Bob.Client.Circle.Block("mallory");
        await UntilAsync(Bob, () => Bob.Client.Circle.IsTold);
        Cluster.Accounts["bob"].LoseCircle();
        Bob.Client.Circle.Block("eve");
        await UntilAsync(Bob, () => Bob.Client.Circle.IsTold
            && Cluster.Accounts["bob"].Change(new CircleChange()).Blocked.SequenceEqual(["eve", "mallory"]));
        Assert.Equal(["eve", "mallory"], Bob.Client.Circle.Blocked);
    }

    /// <summary>docs/e2e.md, Receiving (Blocked): a new device has nothing to tell, and asks only.</summary>
    [Fact]
    public async Task A_new_device_makes_an_empty_circle_where_nodes_could_read_none()
    {
        await Bob.DisposeAsync();
        Cluster.Accounts["bob"].LoseCircle();
        await using var next = await (await Person.LogInAsync("bob", Person.NewFolder(), N1)).OnlineAsync();
        await UntilAsync(next, () => next.Client.Circle.IsKnown);
        Assert.Empty(Cluster.Accounts["bob"].Change(new CircleChange()).Code);
    }

    /// <summary>Nodes keep what its sender writes once the block is lifted.</summary>
    [Fact]
    public async Task A_block_that_was_lifted_on_another_device_drops_nothing_before_the_circle_is_known()
    {
        Bob.Client.Circle.Block("alice");
        await UntilAsync(Bob, () => Bob.Client.Circle.IsTold);
        await OnAnotherDeviceAsync(async other =>
        {
            await UntilAsync(other, () => other.Client.Circle.Blocked.SequenceEqual(["alice"]));
            other.Client.Circle.Unblock("alice");
            await UntilAsync(other, () => other.Client.Circle.IsTold);
        });
        Cluster.KnowsCircles = false;
        await Alice.WaitAsync(Alice.Client.Send("bob", "after the block"), MessageState.Kept);
        await using var again = await (await Person.LogInAsync("bob", Bob.Folder, N1)).OnlineAsync();
        await again.SeeAsync<ClientEvent.CaughtUp>();
        Assert.Empty(again.Client.History.Unread());
        Cluster.KnowsCircles = true;
        Cluster.Sessions["bob"].End(SessionEnded.Types.Reason.NodeStopping); // The next one asks at once.
        Assert.Equal(["after the block"], await again.ReadAsync(1));
        await UntilAsync(again, () => Cluster.Accounts["bob"].MailboxCount == 0);
    }

    /// <summary>Nodes were not told of it, or had no room for it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_block_that_only_this_machine_knows_holds_before_the_circle_is_known(int told)
    {
        Bob.Client.Circle.Block("alice");
        await UntilAsync(Bob, () => Bob.Client.Circle.IsTold);
        await OnAnotherDeviceAsync(_ => Task.CompletedTask);
        using (var store = LocalStore.Open(Path.Combine(Bob.Folder, "profile.db")))
            store.Write(db => db.Execute("UPDATE circle SET is_blocked_told = $1 WHERE user = 'alice'", told));
        Cluster.KnowsCircles = false;
        await Alice.WaitAsync(Alice.Client.Send("bob", "blocked"), MessageState.Kept);
        await using var again = await (await Person.LogInAsync("bob", Bob.Folder, N1)).OnlineAsync();
        await UntilAsync(again, () => Cluster.Accounts["bob"].MailboxCount == 0);
        Assert.Empty(again.Client.History.Unread());
    }

    /// <summary>Bob uses another device for a while; his first one is closed.</summary>
    private async Task OnAnotherDeviceAsync(Func<Person, Task> use)
    {
        await using (var other = await (await Person.LogInAsync("bob", Person.NewFolder(), N1)).OnlineAsync())
            await use(other);
        Assert.Equal("taken_over", (await Bob.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        await Bob.DisposeAsync();
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
