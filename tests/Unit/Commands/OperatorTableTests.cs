using ChordChat.Node.Commands;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

/// <summary>docs/e2e.md, Harmless: what a node says is printed as a table's cells, whatever it is.</summary>
public sealed class OperatorTableTests
{
    private const string Evil = "n1\u001b]0;owned\u0007\nforged line\u202e";

    [Fact]
    public void The_ring_of_a_lying_node_is_a_table_of_harmless_rows()
    {
        var ring = new Snapshot { Cluster = Evil, SeenBy = Evil };
        for (var i = 0; i < 2; i++) // Two at one place.
            ring.Nodes.Add(new NodeView
            {
                Name = i == 0 ? Evil : "n2",
                Position = "00ff",
                Address = Evil,
                Predecessor = Evil,
                Successors = { Evil, "00ff" },
            });
        AssertHarmless([.. RingCommand.Lines(ring)], rows: 4);
    }

    [Fact]
    public void Where_a_lying_node_says_that_a_mailbox_is_is_a_table_of_harmless_rows()
    {
        var place = new MailboxPlace { User = Evil, Tile = Evil, Answering = { Evil } };
        place.Members.Add(new NodeAddress { Name = Evil, Address = Evil });
        AssertHarmless([.. WhereCommand.Lines(place)], rows: 3);
    }

    [Fact]
    public void A_node_that_one_names_to_an_operator_has_a_name()
    {
        var told = Assert.Single(OperatorContact.Plain([new("../../cluster", "", Evil, 1), null]));
        Assert.Equal("?", told.Name);
        AssertHarmless([told.Address], rows: 1);
    }

    private static void AssertHarmless(string[] lines, int rows)
    {
        Assert.Equal(rows, lines.Length);
        Assert.All(lines, line => Assert.DoesNotContain(line, c => char.IsControl(c) || c == '\u202e'));
    }
}
