using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Known nodes: nobody crowds out the nodes that have answered.</summary>
public sealed class NodeMemoryTests
{
    private readonly NodeMemory _memory = new([]);

    [Fact]
    public void What_one_node_says_pushes_out_no_node_that_has_answered()
    {
        Meet("a", "a:1");
        Meet("b", "b:1");
        for (var i = 0; i < 10; i++)
            _memory.Hear("b", $"evil:{i + 1}", MadeUp($"evil{i}"));
        Assert.Equal("a:1", Of("a").Single());
        Assert.Equal("b:1", Of("b").Single());
        Assert.Equal(NodeMemory.SharePerNode, Of(null).Count());
    }

    [Fact]
    public void Where_a_node_says_that_it_is_itself_is_proved_only_by_its_answer_there()
    {
        Meet("b", "b:1");
        Meet("b", "b:2");
        _memory.Hear("b", "b:3", MadeUp("evil"));
        Assert.Equal(["b:2", "b:1"], Of("b"));
        Assert.Equal("b:3", Of(null).First());
        Meet("b", "b:3");
        Assert.Equal(["b:3", "b:2"], Of("b"));
    }

    [Fact]
    public void Each_node_has_its_share_of_what_is_only_said()
    {
        foreach (var liar in (string[])["x", "y", "z"])
        {
            Meet(liar, $"{liar}:1");
            _memory.Hear(liar, null, MadeUp(liar));
        }

        Meet("a", "a:1");
        _memory.Hear("a", null, ["b:1", "c:1"]);
        Assert.Equal(NodeMemory.HearsayMax, Of(null).Count());
        Assert.Superset(new HashSet<string>(["b:1", "c:1"]), Of(null).ToHashSet());
    }

    [Fact]
    public void Who_was_not_met_says_nothing()
    {
        _memory.Hear("x", "x:1", ["y:1"]);
        Assert.Empty(_memory.All);
    }

    [Fact]
    public void A_node_that_says_it_is_where_another_has_answered_takes_nothing_away()
    {
        Meet("a", "a:1");
        Meet("b", "b:1");
        _memory.Hear("b", "A:1", ["a:1"]);
        Assert.Equal(["b:1", "a:1"], _memory.All.Select(node => node.Address));
        Meet("b", "a:1"); // It does answer there.
        Assert.Empty(Of("a"));
    }

    [Fact]
    public void Those_that_answered_last_stay_and_are_kept_for_the_next_time()
    {
        for (var i = 0; i < NodeMemory.ProvedMax + 3; i++)
            Meet($"n{i}", $"n{i}:1");
        _memory.Hear("n34", null, ["b:1"]);
        Assert.Empty(Of("n0"));
        var again = new NodeMemory(_memory.All);
        Assert.Equal(_memory.All, again.All);
    }

    private static IEnumerable<string> MadeUp(string host) => Enumerable.Range(1, 100).Select(port => $"{host}:{port}");

    private void Meet(string id, string address) => _memory.Prove(id, address);

    private IEnumerable<string> Of(string? id) =>
        _memory.All.Where(node => node.Id == id).Select(node => node.Address);
}
