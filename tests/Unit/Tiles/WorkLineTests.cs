using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#writers-time.</summary>
public sealed class WorkLineTests
{
    private static readonly NodeId Own = new(0, 1);
    private static readonly NodeId Liar = new(0, 2);
    private static readonly NodeId Other = new(0, 3);
    private readonly WorkLine<(NodeId From, int Number)> _line = new(Own, perCallerMax: 100, max: 300);

    [Fact]
    public void Each_callers_requests_keep_their_order()
    {
        for (var i = 0; i < 10; i++)
            Assert.True(_line.TryAdd(i % 2 == 0 ? Own : Other, (i % 2 == 0 ? Own : Other, i)));
        var taken = Take(10);
        Assert.Equal([0, 2, 4, 6, 8], taken.Where(one => one.From == Own).Select(one => one.Number));
        Assert.Equal([1, 3, 5, 7, 9], taken.Where(one => one.From == Other).Select(one => one.Number));
    }

    [Fact]
    public void Whoever_asks_for_what_takes_long_waits_for_the_others_and_not_they_for_it()
    {
        Add(Liar, 100);
        foreach (var one in Take(4))
            _line.Charge(one.From, 1_000);
        Add(Other, 100);
        var taken = Take(100);
        foreach (var one in taken)
            _line.Charge(one.From, one.From == Liar ? 1_000 : 10);
        Assert.InRange(taken.Count(one => one.From == Liar), 0, 10);
        Assert.Contains(Take(100), one => one.From == Liar); // But its turn comes.
    }

    /// <summary>Also at first, when nobody knows what the requests cost.</summary>
    [Fact]
    public void Whoever_has_used_more_than_the_others_waits_until_they_have_used_as_much()
    {
        var used = new Dictionary<NodeId, long> { [Liar] = 0, [Other] = 0 };
        for (var round = 0; round < 40; round++)
        {
            Add(Liar, 100);
            Add(Other, 100);
            foreach (var one in Take(64))
            {
                var cost = one.From == Liar ? 2_000 : 20;
                used[one.From] += cost;
                _line.Charge(one.From, cost);
            }
        }

        Assert.InRange(used[Liar], 1, 32 * 2_000); // In the first round; since then it waits.
        Assert.Equal((32 + (39 * 64)) * 20, used[Other]);
    }

    [Fact]
    public void What_was_not_carried_out_comes_first_again()
    {
        Add(Other, 5);
        var taken = Take(4);
        _line.Charge(Other, 1);
        foreach (var one in taken.Skip(1).Reverse())
            _line.PutBack(one.From, one);
        Assert.Equal(4, _line.Count);
        Assert.Equal([1, 2, 3, 4], Take(9).Select(one => one.Number));
        Assert.Equal(0, _line.Count);
    }

    [Fact]
    public void Whoever_was_silent_has_saved_up_nothing()
    {
        Add(Other, 1);
        Assert.Single(Take(1));
        for (var round = 0; round < 50; round++)
        {
            Add(Own, 1);
            _line.Charge(Take(1).Single().From, 1_000);
        }

        Add(Own, 20);
        Add(Other, 20);
        var taken = Take(20);
        foreach (var one in taken)
            _line.Charge(one.From, 1_000);
        Assert.Contains(taken.Concat(Take(10)), one => one.From == Own);
    }

    [Fact]
    public void One_caller_fills_its_share_of_the_places_and_this_node_all_that_are_left()
    {
        Assert.Equal(100, Add(Liar, 200));
        Assert.Equal(200, Add(Own, 300));
        Assert.False(_line.TryAdd(Other, (Other, 0)));
        Assert.Equal(300, _line.Count);
        Assert.Equal(300, Take(1_000).Count);
        Assert.Equal(0, _line.Count);
    }

    [Fact]
    public void Whose_requests_are_in_hand_is_not_forgotten()
    {
        Add(Own, 1);
        _line.Charge(Take(1).Single().From, 5_000);
        for (ulong node = 10; node < 60; node++)
            Add(new NodeId(0, node), 1);
        Add(Own, 1);
        var taken = Take(51);
        _line.Sweep();
        Assert.Equal(51, _line.CallerCount);
        foreach (var one in Enumerable.Reverse(taken))
            _line.PutBack(one.From, one);
        Assert.Equal(taken.Select(one => one.From).Order(), Take(51).Select(one => one.From).Order());
    }

    [Fact]
    public void Who_waits_for_nothing_and_owes_nothing_is_forgotten()
    {
        for (ulong node = 10; node < 60; node++)
            Add(new NodeId(0, node), 1);
        _line.Sweep();
        Assert.Equal(50, _line.CallerCount);
        foreach (var one in Take(50))
            _line.Charge(one.From, 5);
        for (var round = 0; round < 10; round++)
        {
            Add(Own, 1);
            _line.Charge(Take(1).Single().From, 5);
        }

        _line.Sweep();
        Assert.InRange(_line.CallerCount, 0, 1);
    }

    private int Add(NodeId caller, int count) =>
        Enumerable.Range(0, count).Count(number => _line.TryAdd(caller, (caller, number)));

    private List<(NodeId From, int Number)> Take(int count)
    {
        var taken = new List<(NodeId, int)>();
        _line.Take(taken, count, cost: 50_000);
        return taken;
    }
}
