using ChordChat.Node.Operations;
using ChordChat.Node.Tiles;
using ChordChat.Sdk.Messages;
using ChordChat.Tests.Cluster.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md, "Ring: leave": every node stops in order and comes back, one after the other, while two
/// people chat.</summary>
public sealed class RollingRestartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task All_nodes_are_restarted_one_after_the_other_and_no_message_fails()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        var search = Person.Search([.. cluster.Names.Select(cluster.AddressOf)]);
        await using var alice = await (await Person.RegisterAsync("alice", search)).OnlineAsync();
        await using var bob = await (await Person.RegisterAsync("bob", search)).OnlineAsync();
        using var restarted = new CancellationTokenSource();
        var chat = ChatAsync(alice, restarted.Token);

        foreach (var name in cluster.Names.ToArray())
        {
            await Condition.UntilAsync($"{name} may be stopped", Patience, async () =>
                (await cluster[name].Services.GetRequiredService<SafetyOfStopping>()
                    .ObstaclesAsync(CancellationToken.None)).Count == 0);
            await cluster[name].Services.GetRequiredService<Departure>().Stop();
            await cluster.StopAsync(name);
            await cluster.StartAsync(name);
            await cluster.SettleAsync();
        }

        await restarted.CancelAsync();
        var sent = await chat;
        Assert.True(sent > 4, $"only {sent} messages were sent meanwhile");
        Assert.Equal(Enumerable.Range(0, sent).Select(i => $"message {i}"), await bob.ReadAsync(sent));
    }

    /// <summary>Sends one message after the other, each when the last has arrived.</summary>
    /// <returns>How many.</returns>
    private static async Task<int> ChatAsync(Person alice, CancellationToken enough)
    {
        var count = 0;
        for (; !enough.IsCancellationRequested; count++)
        {
            var id = alice.Client.Send("bob", $"message {count}");
            var message = await alice.Client.History.WaitAsync(
                id, message => message.State is MessageState.Delivered or MessageState.Read or MessageState.Refused,
                Patience, CancellationToken.None);
            Assert.True(
                message.State is MessageState.Delivered or MessageState.Read,
                $"message {count}: {message.State} {message.Note}");
        }

        return count;
    }
}
