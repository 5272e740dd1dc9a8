using ChordChat.Sdk.Keys;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Pins: a node that shows wrong keys is named to the user, in few lines.</summary>
public sealed class WrongKeysTests
{
    private readonly WrongKeys _wrong = new();

    [Fact]
    public void A_node_that_shows_wrong_keys_of_everybody_gets_three_lines_and_one_that_there_are_more()
    {
        var lines = Enumerable.Range(0, 1_000).Select(i => _wrong.Tell("AB", $"n{i} at localhost:1", $"user{i}"))
            .OfType<string>().ToList();
        Assert.Equal(
            ["n0 at localhost:1 shows wrong keys for user0; other nodes are being asked; tell the operator",
                "n1 at localhost:1 shows wrong keys for user1; other nodes are being asked; tell the operator",
                "n2 at localhost:1 shows wrong keys for user2; other nodes are being asked; tell the operator",
                "n3 at localhost:1 shows wrong keys for more people, who are not named"],
            lines);
        Assert.NotNull(_wrong.Tell("CD", "n5 at localhost:2", "user0"));
        Assert.Null(_wrong.Tell("CD", "n5 at localhost:2", "user0"));
    }

    [Fact]
    public void However_many_nodes_show_wrong_keys_the_lines_have_an_end() => Assert.InRange(
        Enumerable.Range(0, 10_000).Count(i => _wrong.Tell($"{i}", $"n{i} at localhost:1", "bob") is not null), 3, 100);

    [Fact]
    public void What_cannot_be_the_name_of_a_node_is_not_shown() =>
        Assert.Equal("? at localhost:1", WrongKeys.NameOf("n1\u001b[2J", "localhost:1"));
}
