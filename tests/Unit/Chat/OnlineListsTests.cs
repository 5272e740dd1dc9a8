using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#presence: what one node can put into everybody's list of who is online.</summary>
public sealed class OnlineListsTests
{
    private const ulong Huge = 1UL << 61;

    private static readonly NodeId Honest = new(0, 1);
    private static readonly NodeId Liar = new(0, 2);
    private static readonly Dictionary<string, Lease> Nobody = [];

    private readonly OnlineLists _lists = new();

    [Fact]
    public void A_node_speaks_of_itself_and_of_names_that_somebody_can_have()
    {
        _lists.Add(Liar, [At("anna", Honest), At("Änna", Liar), At("a\nb", Liar), At("bert", Liar)], 100);
        Assert.Equal("bert", Assert.Single(_lists.Merge(Nobody, 100)).User);
    }

    [Fact]
    public void However_many_names_it_makes_up_those_of_others_keep_their_places()
    {
        _lists.Add(Liar, Enumerable.Range(0, 40_000).Select(i => At($"a{i}", Liar)), 100);
        _lists.Add(Honest, Enumerable.Range(0, 60).Select(i => At($"z{i}", Honest)), 100);
        var listed = _lists.Merge(Nobody, 100);
        Assert.Equal(100, listed.Count);
        Assert.Equal(50, listed.Count(lease => lease.Node == Honest));
        Assert.Equal(listed.Select(lease => lease.User).Order(StringComparer.Ordinal), listed.Select(l => l.User));
    }

    [Fact]
    public void It_hides_nobody_by_a_larger_session()
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        foreach (var i in Enumerable.Range(0, 9))
            _lists.Add(new NodeId(1, (ulong)i), users.Chunk(10).ElementAt(i).Select(u => At(u, new(1, (ulong)i))), 100);
        _lists.Add(Liar, users.Select(user => At(user, Liar, Huge)), 100);
        Assert.Equal(90, _lists.Disputed.Count());
        Assert.DoesNotContain(_lists.Merge(Nobody, 100), lease => lease.Node == Liar);
    }

    /// <summary>It claims exactly the people of one node, and makes up names that come first.</summary>
    [Fact]
    public void It_hides_nobody_by_as_many_disputes_and_more_names()
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        _lists.Add(Honest, users.Select(user => At(user, Honest)), 100);
        _lists.Add(Liar, users.Select(user => At(user, Liar, Huge))
            .Concat(Enumerable.Range(0, 10).Select(i => At($"a{i}", Liar))), 100);
        Assert.Equal(90, _lists.Merge(Nobody, 100).Count(lease => lease.Node == Honest));
    }

    [Fact]
    public void Who_keeps_the_lease_decides_between_two()
    {
        _lists.Add(Honest, [At("anna", Honest)], 100);
        _lists.Add(Liar, [At("anna", Liar, Huge)], 100);
        Assert.Equal("anna", Assert.Single(_lists.Disputed));
        Assert.Equal(Honest, Assert.Single(_lists.Merge(new Dictionary<string, Lease>
        {
            ["anna"] = At("anna", Honest),
        }, 100)).Node);
    }

    private static Lease At(string user, NodeId node, ulong session = 1) => new(user, session, node, 0);
}
