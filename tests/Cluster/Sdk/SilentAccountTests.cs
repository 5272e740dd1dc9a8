using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/protocol.md, "Without a quorum": whose account does not answer delays nobody else.</summary>
public sealed class SilentAccountTests : AliceAndBob
{
    /// <summary>Fewer questions than one lookup asks before it ends in vain.</summary>
    private const int CallsOfOneLookupMax = 5;

    [Fact]
    public async Task Messages_to_somebody_who_cannot_be_looked_up_hold_up_nobody_elses_and_go_out_later()
    {
        await using var carol = await Person.RegisterAsync("carol", N1);
        Cluster.Silent["carol"] = true;
        var held = Enumerable.Range(1, 300).Select(i => Alice.Client.Send("carol", $"{i}")).ToList();
        Alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        Assert.InRange(Cluster.KeyLogCalls.GetValueOrDefault("carol"), 0, CallsOfOneLookupMax);
        await Alice.SeeAsync<ClientEvent.Notice>(notice => notice.Text.StartsWith(
            "what you wrote to carol waits on this machine and goes out by itself: ", StringComparison.Ordinal));
        Cluster.Silent.Clear();
        foreach (var id in held)
            Assert.Equal(MessageState.Kept, (await Alice.WaitAsync(id, MessageState.Kept)).State);
        await carol.OnlineAsync();
        Assert.Equal(Enumerable.Range(1, 300).Select(i => $"{i}"), await carol.ReadAsync(300));
    }

    [Fact]
    public async Task A_message_of_somebody_who_cannot_be_looked_up_holds_up_nobody_elses_and_is_shown_later()
    {
        await using var carol = await (await Person.RegisterAsync("carol", N1)).OnlineAsync();
        Cluster.Silent["carol"] = true;
        var held = carol.Client.Send("bob", "from carol");
        await carol.WaitAsync(held, MessageState.Kept);
        Alice.Client.Send("bob", "from alice");
        Assert.Equal(["from alice"], await Bob.ReadAsync(1));
        Assert.InRange(Cluster.KeyLogCalls.GetValueOrDefault("carol"), 1, CallsOfOneLookupMax);
        Assert.NotEqual(0, Cluster.Accounts["bob"].MailboxCount); // Not acknowledged unread.
        Cluster.Silent.Clear();
        Assert.Equal(["from carol"], await Bob.ReadAsync(1));
    }
}
