using ChordChat.Core.Ring;
using ChordChat.Node.Discovery;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Discovery;

public sealed class RememberedPeersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Members_are_known_again_after_a_restart()
    {
        var n2 = new Peer(new(2, 2), new(7), "n2", "10.0.0.2:7401");
        new RememberedPeers(_folder.Path).Save([n2]);
        var (node, known) = Assert.Single(new RememberedPeers(_folder.Path).Earlier);
        Assert.Equal((n2.Node, n2.Node, n2.Name, n2.Address), (node, known.Node, known.Name, known.Address));
    }

    [Fact]
    public void Damaged_lines_are_left_out()
    {
        var peers = new RememberedPeers(_folder.Path);
        peers.Save([new Peer(new(2, 2), new(7), "n2", "10.0.0.2:7401")]);
        File.AppendAllText(_folder["members"], "nonsense\n" + new string('z', 64) + " n3 10.0.0.3:1\n");
        Assert.Single(new RememberedPeers(_folder.Path).Earlier);
    }

    /// <summary>docs/operations.md#when-something-breaks: what ends a node on a full disk is a promise that it cannot
    /// write, not a hint.</summary>
    [Fact]
    public void What_cannot_be_written_is_left_out()
    {
        var peers = new RememberedPeers(_folder["gone"]);
        peers.Save([new Peer(new(2, 2), new(7), "n2", "10.0.0.2:7401")]);
        Assert.Empty(new RememberedPeers(_folder["gone"]).Earlier);
    }

    [Fact]
    public void A_new_node_remembers_nobody() => Assert.Empty(new RememberedPeers(_folder.Path).Earlier);
}
