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

    /// <summary>It claims the people of many nodes.</summary>
    [Fact]
    public void It_hides_nobody_by_a_larger_session()
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        foreach (var i in Enumerable.Range(0, 9))
            _lists.Add(new NodeId(1, (ulong)i), users.Chunk(10).ElementAt(i).Select(u => At(u, new(1, (ulong)i))), 100);
        _lists.Add(Liar, users.Select(user => At(user, Liar, Huge)), 100);
        Assert.Equal(90, _lists.Disputed.Count());
        AssertSomewhere(users, _lists.Merge(Nobody, 100));
    }

    /// <summary>It claims only people of one node, which has others besides: so its claims are as much disputed, or
    /// less if that node has another dispute, and it names fewer people.</summary>
    [Theory, InlineData(0), InlineData(5)]
    public void It_moves_nobody_by_fewer_disputes_and_fewer_names(int moved)
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        string[] others = [.. Enumerable.Range(0, 10).Select(i => $"z{i}")];
        _lists.Add(Honest, users.Concat(others).Select(user => At(user, Honest)), 200);
        _lists.Add(Liar, users.Select(user => At(user, Liar, Huge)), 200);
        _lists.Add(new(0, 3), others[..moved].Select(user => At(user, new(0, 3))), 200);
        var listed = _lists.Merge(Nobody, 200);
        AssertSomewhere([.. users, .. others[..moved]], listed);
        Assert.Equal(others[moved..], listed.Where(lease => lease.Node == Honest).Select(lease => lease.User));
    }

    /// <summary>It claims exactly the people of one node, and makes up names that come first.</summary>
    [Fact]
    public void It_hides_nobody_by_as_many_disputes_and_more_names()
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        _lists.Add(Honest, users.Select(user => At(user, Honest)), 100);
        _lists.Add(Liar, users.Select(user => At(user, Liar, Huge))
            .Concat(Enumerable.Range(0, 10).Select(i => At($"a{i}", Liar))), 100);
        AssertSomewhere(users, _lists.Merge(Nobody, 100));
    }

    /// <summary>It claims all people of all others, besides names that it makes up.</summary>
    [Fact]
    public void Its_share_of_a_list_that_is_cut_off_is_no_larger_for_what_it_claims()
    {
        string[] users = [.. Enumerable.Range(0, 90).Select(i => $"u{i}")];
        for (var i = 0; i < 3; i++)
        {
            var node = new NodeId(1, (ulong)i);
            _lists.Add(node, users.Chunk(30).ElementAt(i).Select(user => At(user, node)), 200);
        }

        _lists.Add(Liar, Enumerable.Range(0, 90).Select(i => At($"a{i}", Liar))
            .Concat(users.Select(user => At(user, Liar, Huge))), 200);
        var listed = _lists.Merge(Nobody, 80);
        Assert.Equal(80, listed.Count);
        Assert.InRange(listed.Count(lease => lease.Node == Liar), 0, 20);
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

    private static void AssertSomewhere(string[] users, IReadOnlyList<Lease> listed) => Assert.Equal(
        users.Order(StringComparer.Ordinal).Select(user => new Lease(user, 0, default, 0)),
        listed.Where(lease => users.Contains(lease.User)));

    private static Lease At(string user, NodeId node, ulong session = 1) => new(user, session, node, 0);
}
