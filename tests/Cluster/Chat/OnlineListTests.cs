using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#presence: what one node can make others say of who is online.</summary>
public sealed class OnlineListTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(3);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_node_that_lies_hides_nobody_and_speaks_for_no_other_node()
    {
        await using var zoe = await ChatConnection.OpenAsync(
            _cluster.Client(0), await SessionTests.RegisterAsync(_cluster, "zoe"));
        var (n2, n3) = (_cluster.Nodes[1], _cluster.Nodes[2]);
        _cluster.Link.Made = peer => peer != n3 ? null :
        [
            new("zoe", 1UL << 61, n3.Node, 0),
            new("bert", 1, n2.Node, 0),
            new("no such name", 1, n3.Node, 0),
            .. Enumerable.Range(0, 40_000).Select(i => new Lease($"a{i}", 1, n3.Node, 0)),
        ];
        var online = await _cluster.Client(1).ListOnlineAsync(new() { Limit = 50 }, _cluster.Pass);
        Assert.Equal(50, online.Users.Count);
        Assert.Equal("n1", Assert.Single(online.Users, user => user.User == "zoe").NodeName);
        Assert.DoesNotContain(online.Users, user => user.NodeName == "n2" || user.User == "no such name");
    }
}
