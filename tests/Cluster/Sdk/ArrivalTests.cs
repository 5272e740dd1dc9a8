using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>What is kept is shown on some device, in its sender's order: docs/e2e.md, Order.</summary>
public sealed class ArrivalTests : IAsyncLifetime, IDisposable
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
    public async Task A_new_device_shows_the_mailbox_in_its_senders_order_whatever_copy_answered_first()
    {
        await _bob.DisposeAsync();
        var ids = Enumerable.Range(1, 10).Select(i => _alice.Client.Send("bob", $"{i}")).ToList();
        await _alice.WaitAsync(ids[^1], MessageState.Kept);
        _cluster.Tamper = pushes => [.. pushes.Skip(5), .. pushes.Take(5)];
        await using var second = await (await Person.LogInAsync("bob", Person.NewFolder(), _n1)).OnlineAsync();
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"{i}"), await second.ReadAsync(10));
    }

    [Fact]
    public async Task A_message_that_is_held_back_stays_in_the_mailbox_until_it_is_shown()
    {
        _alice.Client.Send("bob", "1");
        await _bob.ReadAsync(1);
        var lost = "";
        _cluster.Tamper = pushes => [.. pushes.Where(push => Convert.ToHexStringLower(push.Id.Span) != lost)];
        _cluster.HasQuorum = false;
        lost = _alice.Client.Send("bob", "2");
        await _alice.WaitAsync(lost, MessageState.Queued);
        _cluster.HasQuorum = true;
        var held = _alice.Client.Send("bob", "3");
        await _alice.WaitAsync(held, MessageState.Kept);
        while (true)
        {
            var count = _cluster.Accounts["bob"].MailboxCount;
            if (_bob.Client.History.Unread().Count > 0)
                break;
            Assert.NotEqual(0, count);
            await Task.WhenAny(_bob.Client.History.NextChange, Task.Delay(50));
        }

        Assert.Equal(["3"], await _bob.ReadAsync(1));
        Assert.Equal(1, _bob.Client.History.With("alice")[^1].MissingBefore);
    }

    /// <summary>A backup that is restored counts on from where it was saved.</summary>
    [Fact]
    public async Task Messages_of_a_restored_profile_are_shown_with_a_mark_and_its_owner_is_told()
    {
        _alice.Client.Send("bob", "1");
        await _bob.ReadAsync(1);
        await _alice.DisposeAsync();
        var backup = Person.NewFolder();
        Directory.CreateDirectory(backup);
        foreach (var file in Directory.GetFiles(_alice.Folder))
            File.Copy(file, Path.Combine(backup, Path.GetFileName(file)));
        await using (var goesOn = await (await Person.LogInAsync("alice", _alice.Folder, _n1)).OnlineAsync())
        {
            foreach (var text in (string[])["2", "3", "4"])
                await goesOn.WaitAsync(goesOn.Client.Send("bob", text), MessageState.Kept);
            Assert.Equal(["2", "3", "4"], await _bob.ReadAsync(3));
        }

        await using var restored = await (await Person.LogInAsync("alice", backup, _n1)).OnlineAsync();
        var id = restored.Client.Send("bob", "from the backup");
        Assert.Equal(["from the backup"], await _bob.ReadAsync(1));
        var shown = _bob.Client.History.Find(id)!;
        Assert.Equal("written by a copy of the sender's profile", shown.Note);
        var sent = await restored.WaitAsync(id, MessageState.Delivered);
        Assert.Equal("shown with a mark: this profile is a copy", sent.Note);
        await restored.SeeAsync<ClientEvent.Notice>(notice => notice.Text.Contains("copy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_replaced_device_never_sent_stays_readable_and_can_be_sent_again()
    {
        await _alice.DisposeAsync();
        var first = await Person.LogInAsync("alice", _alice.Folder, _n1);
        var ids = Enumerable.Range(1, 3).Select(i => first.Client.Send("bob", $"{i}")).ToList();
        await using (var second = await Person.LogInAsync("alice", Person.NewFolder(), _n1))
            await second.OnlineAsync();
        first.Client.Start();
        var ended = await first.SeeAsync<ClientEvent.Ended>();
        Assert.Equal("taken_over", ended.Reason.Code);
        Assert.Contains("did not send 3 messages", ended.Reason.Message, StringComparison.Ordinal);
        Assert.Equal(["1", "2", "3"], first.Client.History.Unsent().Select(message => message.Text));
        Assert.All(first.Client.History.With("bob"), message => Assert.Equal(MessageState.Unsent, message.State));
        await first.DisposeAsync();

        await using var again = await (await Person.LogInAsync("alice", _alice.Folder, _n1)).OnlineAsync();
        await again.WaitAsync(again.Client.Send("bob", "new"), MessageState.Kept);
        Assert.Equal(["new"], await _bob.ReadAsync(1)); // Nothing goes out that nobody asked for.
        again.Client.SendAgain(ids);
        Assert.Equal(["1", "2", "3"], await _bob.ReadAsync(3));
        Assert.Empty(again.Client.History.Unsent());
    }
}
