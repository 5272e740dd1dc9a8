using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>What is kept is shown on some device, in its sender's order: docs/e2e.md, Order.</summary>
public sealed class ArrivalTests : AliceAndBob
{
    [Fact]
    public async Task A_new_device_shows_the_mailbox_in_its_senders_order_whatever_copy_answered_first()
    {
        await Bob.DisposeAsync();
        var ids = Enumerable.Range(1, 10).Select(i => Alice.Client.Send("bob", $"{i}")).ToList();
        await Alice.WaitAsync(ids[^1], MessageState.Kept);
        Cluster.Tamper = pushes => [.. pushes.Skip(5), .. pushes.Take(5)];
        await using var second = await (await Person.LogInAsync("bob", Person.NewFolder(), N1)).OnlineAsync();
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"{i}"), await second.ReadAsync(10));
    }

    [Fact]
    public async Task A_message_that_is_held_back_stays_in_the_mailbox_until_it_is_shown()
    {
        await LoseSecondOfAliceAsync();
        var held = Alice.Client.Send("bob", "3");
        await Alice.WaitAsync(held, MessageState.Kept);
        while (true)
        {
            var count = Cluster.Accounts["bob"].MailboxCount;
            if (Bob.Client.History.Unread().Count > 0)
                break;
            Assert.NotEqual(0, count);
            await Task.WhenAny(Bob.Client.History.NextChange, Task.Delay(50));
        }

        Assert.Equal(["3"], await Bob.ReadAsync(1));
        Assert.Equal(1, Bob.Client.History.With("alice")[^1].MissingBefore);
    }

    /// <summary>docs/e2e.md, Order: what the disk damaged costs its own line, and not the session.</summary>
    [Fact]
    public async Task Damaged_rows_of_a_profile_end_neither_a_session_nor_a_gap()
    {
        var first = Alice.Client.Send("bob", "1");
        Assert.Equal(["1"], await Bob.ReadAsync(1));
        await Alice.WaitAsync(first, MessageState.Delivered);
        await Alice.DisposeAsync();
        await Bob.DisposeAsync();
        Damage(
            Bob, "UPDATE messages SET owed = 9000000000000000000, id = 'x'", "UPDATE heard SET id = x'1B'",
            "INSERT INTO unjudged (id, peer, entry, mark, since_ms) VALUES ('y', 'carol', 'z', x'', 0)",
            // A message that waits for one which never comes, and whose number is no number.
            """
            INSERT INTO heard (id, peer, epoch, seq, body, at_ms) SELECT '3', peer, epoch, 1e300, 'body', 0 FROM heard
            """,
            """
            INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, unread, text)
            SELECT '3', peer, 0, epoch, 1e300, sent_ms, 3, 1, x'' FROM messages
            """);
        Damage(Alice, "UPDATE messages SET state = 9000000000000000000, copies_of = 9000000000000000000");

        await using var bob = await (await Person.LogInAsync("bob", Bob.Folder, N1)).OnlineAsync();
        await using var alice = await (await Person.LogInAsync("alice", Alice.Folder, N1)).OnlineAsync();
        var second = alice.Client.Send("bob", "2");

        Assert.Contains("2", await bob.ReadAsync(2));
        await alice.WaitAsync(second, MessageState.Delivered);
        Assert.Equal(3, bob.Client.History.With("alice").Count);
    }

    private static void Damage(Person person, params string[] changes)
    {
        using var store = LocalStore.Open(Path.Combine(person.Folder, "profile.db"));
        store.Write(db =>
        {
            foreach (var change in changes)
                db.Execute(change);
        });
    }

    /// <summary>A backup that is restored counts on from where it was saved.</summary>
    [Fact]
    public async Task Messages_of_a_restored_profile_are_shown_with_a_mark_and_its_owner_is_told()
    {
        Alice.Client.Send("bob", "1");
        await Bob.ReadAsync(1);
        await Alice.DisposeAsync();
        var backup = Person.NewFolder();
        Directory.CreateDirectory(backup);
        foreach (var file in Directory.GetFiles(Alice.Folder))
            File.Copy(file, Path.Combine(backup, Path.GetFileName(file)));
        await using (var goesOn = await (await Person.LogInAsync("alice", Alice.Folder, N1)).OnlineAsync())
        {
            foreach (var text in (string[])["2", "3", "4"])
                await goesOn.WaitAsync(goesOn.Client.Send("bob", text), MessageState.Kept);
            Assert.Equal(["2", "3", "4"], await Bob.ReadAsync(3));
        }

        await using var restored = await (await Person.LogInAsync("alice", backup, N1)).OnlineAsync();
        var id = restored.Client.Send("bob", "from the backup");
        Assert.Equal(["from the backup"], await Bob.ReadAsync(1));
        var shown = Bob.Client.History.Find(id)!;
        Assert.Equal("written by a copy of the sender's profile", shown.Note);
        var sent = await restored.WaitAsync(id, MessageState.Delivered);
        Assert.Equal("your contact sees this with a mark: this profile is a copy", sent.Note);
        await restored.SeeAsync<ClientEvent.Copied>();

        Cluster.HasQuorum = false; // What it sends now stays in its outbox.
        var queued = restored.Client.Send("bob", "sealed before");
        await restored.WaitAsync(queued, MessageState.Queued);
        await restored.Client.BecomeNewDeviceAsync(Person.Password);
        var fresh = restored.Client.Send("bob", "sealed after");
        Cluster.HasQuorum = true;
        Assert.Equal(["sealed before", "sealed after"], (await Bob.ReadAsync(2)).OrderDescending());
        Assert.Equal("", Bob.Client.History.Find(fresh)!.Note);
        Assert.Equal("", (await restored.WaitAsync(fresh, MessageState.Delivered)).Note);
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        Assert.Empty(restored.Client.History.Unsent());
    }

    /// <summary>A contact can say that about any message.</summary>
    [Fact]
    public async Task Who_says_again_that_a_profile_is_a_copy_does_not_make_it_a_new_device_again()
    {
        await Alice.DisposeAsync();
        var profile = Profile.Open(Alice.Folder);
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.True(profile.Store.Write(db => Profile.MarkCopied(db, now)));
        profile.Dispose();
        await using var again = await Person.LogInAsync("alice", Alice.Folder, N1);
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        using var renewed = Profile.Open(Alice.Folder);
        Assert.False(renewed.IsCopied);
        Assert.False(renewed.Store.Write(db => Profile.MarkCopied(db, now)));
        Assert.False(renewed.IsCopied);
        var later = now + (long)TimeSpan.FromDays(2).TotalMilliseconds;
        Assert.True(renewed.Store.Write(db => Profile.MarkCopied(db, later)));
    }

    [Fact]
    public async Task What_a_replaced_device_never_sent_stays_readable_and_can_be_sent_again()
    {
        await Alice.DisposeAsync();
        var first = await Person.LogInAsync("alice", Alice.Folder, N1);
        var ids = Enumerable.Range(1, 3).Select(i => first.Client.Send("bob", $"{i}")).ToList();
        await using (var second = await Person.LogInAsync("alice", Person.NewFolder(), N1))
            await second.OnlineAsync();
        first.Client.Start();
        var ended = await first.SeeAsync<ClientEvent.Ended>();
        Assert.Equal("taken_over", ended.Reason.Code);
        Assert.Contains("3 messages here are unsent", ended.Reason.Message, StringComparison.Ordinal);
        Assert.Equal(["1", "2", "3"], first.Client.History.Unsent().Select(message => message.Text));
        Assert.All(first.Client.History.With("bob"), message => Assert.Equal(MessageState.Unsent, message.State));
        await first.DisposeAsync();

        await using var again = await (await Person.LogInAsync("alice", Alice.Folder, N1)).OnlineAsync();
        await again.WaitAsync(again.Client.Send("bob", "new"), MessageState.Kept);
        Assert.Equal(["new"], await Bob.ReadAsync(1)); // Nothing goes out that nobody asked for.
        again.Client.SendAgain(ids);
        Assert.Equal(["1", "2", "3"], await Bob.ReadAsync(3));
        Assert.Empty(again.Client.History.Unsent());
    }
}
