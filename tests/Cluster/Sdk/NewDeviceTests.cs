using ChordChat.Sdk.Messages;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Order: a device without a history shows a sender's messages in their order, or says which come
/// late.</summary>
public sealed class NewDeviceTests : AliceAndBob
{
    [Fact]
    public async Task It_waits_for_what_did_not_look_genuine_at_the_first_look()
    {
        await SendAsync(Numbers(1, 6));
        var damaged = Cluster.Accounts["bob"].Mailbox().Take(3).ToHashSet();
        Cluster.Tamper = pushes => [.. pushes.Select(push => damaged.Remove(push) ? Damaged(push) : push)];
        await using var second = await SecondAsync();
        Assert.Equal(Numbers(1, 6), await second.ReadAsync(6));
        Assert.DoesNotContain(second.Client.History.With("alice"), message => message.IsLate);
    }

    /// <summary>Its sender's keys are known from elsewhere before its own look-up of them is over.</summary>
    [Fact]
    public async Task It_waits_for_what_waits_for_its_senders_keys()
    {
        await SendAsync(Numbers(1, 3));
        Cluster.EndsReadings = false;
        Cluster.ReadsKeyLogs = false;
        await using var second = await SecondAsync();
        await second.UntilAsync(() => Cluster.KeyLogCalls.GetValueOrDefault("alice") > 0);
        Cluster.ReadsKeyLogs = true;
        await second.Client.People.CheckExistsAsync("alice"); // Knows her keys now, whatever is looked up beside.
        await SendAsync(Numbers(4, 6));
        Cluster.EndsReadings = true;
        Session.Write(new NodeFrame { CaughtUp = true });
        Assert.Equal(Numbers(1, 6), await second.ReadAsync(6));
        Assert.DoesNotContain(second.Client.History.With("alice"), message => message.IsLate);
    }

    /// <summary>More than eight megabytes of one chat, and those that have no room here are its oldest.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_waits_for_what_found_no_room_here_as_does_one_that_was_away_for_long(bool isNew)
    {
        string[] texts = [.. Numbers(101, 320).Select(number => number + new string('x', 60_000))];
        var folder = isNew ? Person.NewFolder() : Bob.Folder;
        await Bob.DisposeAsync();
        await using (var earlier = await SecondAsync(folder))
            await earlier.Client.People.CheckExistsAsync("alice"); // Nothing has to wait for keys.
        await SendAsync(texts);
        Cluster.Tamper = pushes => [.. pushes.Skip(12), .. pushes.Take(12)];
        await using var second = await SecondAsync(folder);
        Assert.Equal(texts, await second.ReadAsync(texts.Length));
        Assert.DoesNotContain(
            second.Client.History.With("alice"), message => message.IsLate || message.MissingBefore > 0);
    }

    /// <summary>No majority kept it when the mailbox was read.</summary>
    [Fact]
    public async Task What_comes_after_later_ones_all_the_same_says_so_and_has_its_place_in_the_history()
    {
        await SendAsync(Numbers(1, 5));
        var late = Cluster.Accounts["bob"].Mailbox().Take(2).ToList();
        Cluster.Tamper = pushes => [.. pushes.Except(late)];
        await using var second = await SecondAsync();
        Assert.Equal(Numbers(3, 5), await second.ReadAsync(3));
        Cluster.Tamper = pushes => pushes;
        foreach (var push in late)
            Session.Push(push);
        Assert.Equal(Numbers(1, 2), await second.ReadAsync(2));
        Assert.Equal(
            [("1", true), ("2", true), ("3", false), ("4", false), ("5", false)],
            second.Client.History.With("alice").Select(message => (message.Text, message.IsLate)));
        Assert.All(second.Client.History.With("alice"), message => Assert.Equal(0, message.MissingBefore));
    }

    [Fact]
    public async Task A_program_that_is_started_again_before_the_mailbox_was_read_waits_as_well()
    {
        await SendAsync(Numbers(1, 6));
        Cluster.Tamper = pushes => [.. pushes.Skip(3)];
        Cluster.EndsReadings = false;
        var folder = Person.NewFolder();
        await using (var second = await SecondAsync(folder))
            await second.UntilAsync(() => second.HeldCount == 3);
        Cluster.Tamper = pushes => [.. pushes.Skip(3), .. pushes.Take(3)];
        Cluster.EndsReadings = true;
        await using var again = await SecondAsync(folder);
        Assert.Equal(Numbers(1, 6), await again.ReadAsync(6));
    }

    private FakeSession Session => Cluster.Sessions["bob"];

    private async Task<Person> SecondAsync(string? folder = null) =>
        await (await Person.LogInAsync("bob", folder ?? Person.NewFolder(), N1)).OnlineAsync();

    /// <summary>Alice writes to Bob, whose first device is gone.</summary>
    private async Task SendAsync(IEnumerable<string> texts)
    {
        await Bob.DisposeAsync();
        var ids = texts.Select(text => Alice.Client.Send("bob", text)).ToList();
        foreach (var id in ids)
            await Alice.WaitAsync(id, MessageState.Kept);
    }

    private static IEnumerable<string> Numbers(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(number => $"{number}");

    private static Push Damaged(Push push)
    {
        var envelope = push.Envelope.ToByteArray();
        envelope[^1] ^= 1;
        return new Push { Id = push.Id, Envelope = ByteString.CopyFrom(envelope) };
    }
}
