using ChordChat.Tests.Browser.Fakes;
using ChordChat.Visualizer.Feed;
using Xunit;

namespace ChordChat.Tests.Browser;

/// <summary>docs/security.md, "What a call may cost": what the page reads of a node that has proved nothing.</summary>
public sealed class StrangeNodeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Of_a_node_that_has_proved_nothing_little_is_read()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        var node = await cluster.JoinAsync("n2");
        using (var link = await NodeLink.TryConnectAsync(node.Address, new(null), Patience, CancellationToken.None))
            Assert.Equal("n2", link?.Name);
        node.SaidName = new('n', 100_000);
        Assert.Null(await NodeLink.TryConnectAsync(node.Address, new(null), Patience, CancellationToken.None));
    }
}
