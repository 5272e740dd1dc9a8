using ChordChat.Node.View;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Unit.View;

public sealed class PublicPictureTests
{
    [Fact]
    public void Somebody_without_a_certificate_sees_how_many_are_online_and_not_who()
    {
        var full = new Snapshot
        {
            Cluster = "c1",
            SeenBy = "n1",
            AtMs = 5,
            Nodes = { new NodeView { Name = "n1", Address = "10.0.0.1:7401", Sessions = 2, Users = { "ann", "bob" } } },
            Tiles = { new TileView { Tile = "00/1" } },
            Events =
            {
                Event("joined", "n1", "n1 joined at 10.0.0.1:7401"),
                Event("moved", "n2", "n2 moved from 10.9.9.9:1 to 10.0.0.2:7401"),
                Event("ring_audit_failed", "n3", "whatever a stranger wrote"),
                Event("suspected", "n2", "n2 does not answer"),
            },
        };

        var shown = PublicPicture.Of(full);

        Assert.True(shown.NamesHidden);
        var node = Assert.Single(shown.Nodes);
        Assert.Empty(node.Users);
        Assert.Equal(2u, node.Sessions);
        Assert.Equal("10.0.0.1:7401", node.Address);
        Assert.Equal(
            ["n1 joined", "n2 has another address", "n3: ring_audit_failed", "n2 does not answer"],
            shown.Events.Select(happened => happened.Text));
        Assert.Equal(full.Tiles, shown.Tiles);
        Assert.Same(shown, PublicPicture.Of(full));
        Assert.Equal(["ann", "bob"], full.Nodes[0].Users);
    }

    private static ViewEvent Event(string kind, string node, string text) =>
        new() { Kind = kind, Node = node, Text = text };
}
